import LedgerTestSupport
import XCTest

/// The specification in SQL is one file, and it is what the built program carries.
final class SchemaFileTests: XCTestCase {
  func testSchemaCommand_printsTheBytesOfTheFile() throws {
    let file = try Checkout.file("schema.sql").text
    let printed = BuiltBinary.run(["schema"])
    XCTAssertEqual(printed.status, 0, printed.stderr)
    XCTAssertEqual(Array(printed.stdout.utf8), Array(file.utf8))
  }

  func testEmbeddedFile_isALinkToTheOneFile() throws {
    let link = Checkout.root.appendingPathComponent("Sources/TradeLedger/Resources/schema.sql")
    XCTAssertEqual(
      link.resolvingSymlinksInPath().path,
      Checkout.root.appendingPathComponent("schema.sql").resolvingSymlinksInPath().path)
  }
}
