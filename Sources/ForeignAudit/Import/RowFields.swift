internal import SQLite

/// What is read of each row, in this order.
enum FactField: Int, CaseIterable {
  case key, id, bot, side, symbol, executedQuantity, quantity, executedPrice, price, fillTime,
    creationTime, status
}

/// One row as it was read.
struct RowFields {
  private(set) var cells = [Field](repeating: Field(), count: FactField.allCases.count)

  subscript(field: FactField) -> Field {
    get { cells[field.rawValue] }
    set { cells[field.rawValue] = newValue }
  }

  mutating func set(_ field: FactField, text: String?) {
    cells[field.rawValue].bytes = Array((text ?? "").utf8)
    cells[field.rawValue].value = text == nil ? .null : .text
  }

  /// Fills the cell of `column` with what `read` gives.
  mutating func fill(_ column: Int, _ read: (inout [UInt8]) -> StoredValue) {
    cells[column].value = read(&cells[column].bytes)
  }

  /// Takes away the apostrophe that keeps a spreadsheet from taking a cell for a formula.
  mutating func unguard(_ field: FactField) {
    let bytes = self[field].bytes
    guard bytes.first == UInt8(ascii: "'"), let first = bytes.first(where: { $0 != bytes[0] }),
      "=+-@\t\r".utf8.contains(first)
    else { return }
    self[field].bytes = Array(bytes.dropFirst())
  }

  /// The first of the two that is there.
  func first(_ fields: FactField...) -> Field {
    fields.lazy.map { self[$0] }.first { !$0.isMissing } ?? Field()
  }
}

/// Why a row is no fact.
struct Rejection: Error {
  let reason: String
  init(_ reason: String) { self.reason = reason }
}
