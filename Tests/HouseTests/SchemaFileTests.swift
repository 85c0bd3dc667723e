import LedgerTestSupport
import XCTest

/// The specification in SQL is one file for each engine, and it is what the built program carries.
final class SchemaFileTests: XCTestCase {
  func testSchemaCommand_printsTheBytesOfTheFile() throws {
    let files = [("schema.sql", ["schema"]), ("schema.postgres.sql", ["schema", "--postgresql"])]
    for (path, arguments) in files {
      let file = try Checkout.file(path).text
      let printed = BuiltBinary.run(arguments)
      XCTAssertEqual(printed.status, 0, printed.stderr)
      XCTAssertEqual(Array(printed.stdout.utf8), Array(file.utf8))
    }
  }

  func testEmbeddedFiles_areLinksToTheOneFile() throws {
    for name in ["schema.sql", "schema.postgres.sql", "schema.postgres.fingerprint"] {
      let link = Checkout.root.appendingPathComponent("Sources/TradeLedger/Resources/" + name)
      XCTAssertEqual(
        link.resolvingSymlinksInPath().path,
        Checkout.root.appendingPathComponent(name).resolvingSymlinksInPath().path)
    }
  }
}
