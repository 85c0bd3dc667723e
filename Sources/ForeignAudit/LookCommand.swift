/// The shell command with which a person looks at rows: the next step after a finding.
enum LookCommand {
  case sqlite(path: String, table: String, id: String?)
  case csv(path: String)

  struct Row {
    let id: String
    let kind: IDKind
    /// In a CSV file, from 1.
    let line: Int
  }

  func command(for rows: [Row]) -> String {
    switch self {
    case .sqlite(let path, let table, let id):
      let ids = rows.map(LookCommand.literal).joined(separator: ", ")
      let sql = ForeignStatements.look(table: table, id: id, ids: ids)
      return "sqlite3 -header \(shellWord(path)) \(shellWord(sql))"
    case .csv(let path):
      let lines = rows.map { "\($0.line)p" }.joined(separator: ";")
      return "sed -n '1p;\(lines)' -- \(shellWord(path))"
    }
  }

  private static func literal(_ row: Row) -> String {
    switch row.kind {
    case .integer, .number: row.id
    case .text: "'" + row.id.replacing("'", with: "''") + "'"
    case .blob: "x'" + row.id + "'"
    }
  }
}

/// `text` as one word for a shell, without anything that could drive a terminal: what is not plain
/// is written as `$'\x1b'`, which bash, zsh and ksh read.
func shellWord(_ text: String) -> String {
  func isPlain(_ scalar: Unicode.Scalar) -> Bool {
    switch scalar.properties.generalCategory {
    case .control, .format, .lineSeparator, .paragraphSeparator, .surrogate, .privateUse,
      .unassigned:
      return false
    default: return true
    }
  }
  if text.unicodeScalars.allSatisfy(isPlain) {
    return "'" + text.replacing("'", with: "'\\''") + "'"
  }
  var word = "$'"
  for scalar in text.unicodeScalars {
    if scalar == "'" || scalar == "\\" {
      word += "\\" + String(scalar)
    } else if isPlain(scalar) {
      word.unicodeScalars.append(scalar)
    } else {
      for byte in String(scalar).utf8 { word += "\\x" + hexadecimal([byte]) }
    }
  }
  return word + "'"
}
