internal import TradeLedger

/// The first line of a CSV file.
extension CSVReader {
  /// The names of the columns. Where the first line has no comma, semicolons or tabs divide it.
  mutating func header(
    _ descriptor: Int32, path: String
  ) throws(ForeignAuditError) -> [String] {
    guard try next() else {
      throw ForeignAuditError(
        .noInput, "\(quoted(path)) has no lines", hint: "there is nothing to examine")
    }
    if ends.count == 1 {
      let others = [UInt8(ascii: ";"), UInt8(ascii: "\t")]
      if let separator = others.first(where: { bytes.contains($0) }) {
        self = try CSVReader(descriptor, path: path, separator: separator)
        _ = try next()
      }
    }
    return ends.indices.map { index in
      var name: [UInt8] = []
      field(index, into: &name)
      let text = String(decoding: name, as: UTF8.self)
      return String(text.drop { $0 == " " }.reversed().drop { $0 == " " }.reversed())
    }
  }

  /// Pairs of a column's number and the place of its field.
  static func places(
    of columns: [String?], in header: [String]
  ) throws(ForeignAuditError) -> [(Int, Int)] {
    var places: [(Int, Int)] = []
    for (column, name) in columns.enumerated() {
      guard let name, let place = header.firstIndex(of: name) else { continue }
      guard header.lastIndex(of: name) == place else {
        throw ForeignAuditError(
          .badData, "two columns are called \(quoted(name))",
          hint: "give them different names in the first line")
      }
      places.append((column, place))
    }
    return places
  }
}
