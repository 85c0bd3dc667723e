internal import TradeLedger

/// Columns for people. Nothing is cut. On a terminal that is too narrow, times lose their fraction
/// and each row goes on in further lines, so that the terminal breaks none of them.
struct Table {
  private var headers: [String]
  private var rows: [[String]] = []

  init(_ headers: String...) { self.headers = headers }

  mutating func add(_ cells: String...) {
    precondition(cells.count == headers.count, "a row has a cell for each column")
    rows.append(cells.map { escaped($0) })
  }

  /// - Parameter columns: of the terminal; nil where it is none.
  func rendered(_ colors: Colors, columns: Int? = Console.columns) -> String {
    guard let columns, !fits(columns) else { return lines(colors, [headers.indices]) }
    let brief = withBriefTimes
    return brief.lines(colors, brief.folds(columns))
  }

  func fits(_ columns: Int) -> Bool { width(headers.indices) <= columns }

  private func width(_ column: Int) -> Int {
    ([headers[column]] + rows.map { $0[column] }).map(\.columns).max() ?? 0
  }

  private func width(_ range: Range<Int>) -> Int {
    range.reduce(0) { $0 + width($1) + Table.gap } - Table.gap
  }

  /// `2025-09-07T20:28:53.395950Z` as `2025-09-07T20:28:53`, with the zone in the header.
  private var withBriefTimes: Table {
    var brief = self
    for column in headers.indices where rows.contains(where: { Table.isTime($0[column]) }) {
      brief.headers[column] += " (UTC)"
      for row in rows.indices where Table.isTime(rows[row][column]) {
        brief.rows[row][column] = String(rows[row][column].prefix(19))
      }
    }
    return brief
  }

  private static func isTime(_ cell: String) -> Bool {
    cell.utf8.count == 27 && cell.hasSuffix("Z") && (try? Timestamp(cell)) != nil
  }

  /// The columns of each line of a row: as many as fit.
  private func folds(_ columns: Int) -> [Range<Int>] {
    var folds: [Range<Int>] = []
    var start = 0
    for column in headers.indices.dropFirst() {
      let indent = folds.isEmpty ? 0 : Table.gap
      if indent + width(start..<column + 1) > columns {
        folds.append(start..<column)
        start = column
      }
    }
    return folds + [start..<headers.count]
  }

  private func lines(_ colors: Colors, _ folds: [Range<Int>]) -> String {
    let widths = headers.indices.map { width($0) }
    func text(_ cells: [String], _ paint: (String) -> String) -> String {
      folds.map { fold in
        var line = fold.map { cells[$0].padded(to: widths[$0]) }
          .joined(separator: String(repeating: " ", count: Table.gap))
        while line.hasSuffix(" ") { line.removeLast() }
        let indent = fold.lowerBound > 0 ? String(repeating: " ", count: Table.gap) : ""
        return indent + paint(line) + "\n"
      }.joined()
    }
    return text(headers, colors.strong) + rows.map { text($0) { $0 } }.joined()
  }

  private static let gap = 2
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
