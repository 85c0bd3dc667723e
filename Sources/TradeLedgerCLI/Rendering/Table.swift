internal import TradeLedger

/// Columns for people. Nothing is cut or wrapped, on a terminal or off it.
struct Table {
  private let headers: [String]
  private var rows: [[String]] = []

  init(_ headers: String...) { self.headers = headers }

  mutating func add(_ cells: String...) {
    precondition(cells.count == headers.count, "a row has a cell for each column")
    rows.append(cells.map { escaped($0) })
  }

  func rendered(_ colors: Colors) -> String {
    let widths = headers.indices.map { column in
      ([headers[column]] + rows.map { $0[column] }).map(\.unicodeScalars.count).max() ?? 0
    }
    func line(_ cells: [String]) -> String {
      let padded = cells.indices.map { column in
        let blanks = widths[column] - cells[column].unicodeScalars.count
        return cells[column] + String(repeating: " ", count: blanks)
      }
      var text = padded.joined(separator: "  ")
      while text.hasSuffix(" ") { text.removeLast() }
      return text
    }
    return ([colors.strong(line(headers))] + rows.map(line)).map { $0 + "\n" }.joined()
  }
}

/// RFC 4180, and no cell that a spreadsheet takes for a formula.
enum CSV {
  enum Cell {
    /// From outside: quoted, and led by an apostrophe where it could start a formula.
    case text(String?)
    /// Digits that were checked when they were stored, or an instant.
    case plain(String?)
  }

  static func row(_ cells: [Cell]) -> String {
    cells.map(rendered).joined(separator: ",") + "\r\n"
  }

  private static func rendered(_ cell: Cell) -> String {
    switch cell {
    case .plain(let value): return value ?? ""
    case .text(let value):
      guard let value else { return "" }
      let text = escaped(value)
      // Apostrophes in front do not hide a formula: one more is put there, which an import takes
      // away again.
      let first = text.unicodeScalars.first { $0 != "'" }
      let starts = first.map { "=+-@\t\r".unicodeScalars.contains($0) }
      let safe = starts == true ? "'" + text : text
      guard safe.unicodeScalars.contains(where: { "\",\r\n".unicodeScalars.contains($0) }) else {
        return safe
      }
      var doubled = ""
      for scalar in safe.unicodeScalars {
        if scalar == "\"" { doubled += "\"" }
        doubled.unicodeScalars.append(scalar)
      }
      return "\"" + doubled + "\""
    }
  }
}
