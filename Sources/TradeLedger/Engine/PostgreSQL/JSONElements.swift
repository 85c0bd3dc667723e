#if PostgreSQL
  /// JSON of the few kinds that the server's functions take: arrays of flat objects, and of texts.
  enum JSONElements {
    enum Value {
      case text(String?)
      case integer(Int64?)

      fileprivate var json: String? {
        switch self {
        case .text(let text): text.map { JSONElements.quoted($0) }
        case .integer(let integer): integer.map { String($0) }
        }
      }
    }

    /// What is nil is left out: the server takes it as NULL.
    static func object(_ fields: [(name: String, value: Value)]) -> String {
      let parts = fields.compactMap { name, value in value.json.map { "\"\(name)\":" + $0 } }
      return "{" + parts.joined(separator: ",") + "}"
    }

    static func array(_ elements: [String]) -> String {
      "[" + elements.joined(separator: ",") + "]"
    }

    static func quoted(_ text: String) -> String {
      var result = "\""
      for scalar in text.unicodeScalars {
        switch scalar {
        case "\"": result += "\\\""
        case "\\": result += "\\\\"
        case _ where scalar.value < 0x20:
          let digits = String(scalar.value, radix: 16)
          result += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
        default: result.unicodeScalars.append(scalar)
        }
      }
      return result + "\""
    }
  }
#endif
