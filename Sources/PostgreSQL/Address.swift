#if PostgreSQL
  internal import CLibPQ

  #if canImport(Glibc)
    internal import Glibc
  #else
    internal import Darwin
  #endif

  /// Where a ledger is: a connection URL, taken apart by libpq.
  public struct Address: Sendable {
    /// Keywords of libpq with their values, but those of the hosts.
    let settings: [(keyword: String, value: String)]
    /// Host, address and port of each server that is named, in the order in which they are tried.
    let hosts: [[(keyword: String, value: String)]]
    /// More than one server is named: another one may do what the first cannot.
    public var hasSeveralHosts: Bool { hosts.count > 1 }
    /// For people: who, where, which database. No password.
    public let name: String

    /// - Throws: where it is no URL that libpq can read. The error does not repeat it: a password
    ///   with an odd character in it is the usual reason.
    public init(_ url: String) throws(PostgreSQLError) {
      var parsed: [String: String] = [:]
      var order: [String] = []
      let unreadable = PostgreSQLError(
        message: "not a connection URL that libpq can read "
          + "(postgresql://USER@HOST:PORT/DATABASE; other characters as %40 and the like)")
      let options = unsafe PQconninfoParse(url, nil)
      defer { unsafe PQconninfoFree(options) }
      guard var option = unsafe options else { throw unreadable }
      while let keyword = unsafe option.pointee.keyword {
        if let value = unsafe option.pointee.val {
          let name = unsafe String(cString: keyword)
          parsed[name] = unsafe String(cString: value)
          order.append(name)
        }
        unsafe option += 1
      }
      // A slash or an @ in a password makes the rest of it a part of something that would be shown.
      guard Address.list(parsed["port"]).allSatisfy({ $0.allSatisfy(\.isNumber) }),
        parsed["dbname"]?.contains("@") != true,
        // One at the beginning is that of an abstract socket.
        Address.list(parsed["host"]).allSatisfy({ !$0.dropFirst().contains("@") })
      else { throw unreadable }
      let places = ["host", "hostaddr", "port"]
      // As libpq would, so that a name which stands there is looked up as any other.
      if parsed["service"] == nil, unsafe getenv("PGSERVICE") == nil {
        for place in places where parsed[place] == nil {
          let variable = "PG" + place.uppercased()
          parsed[place] = unsafe getenv(variable).map { unsafe String(cString: $0) }
        }
      }
      settings = order.filter { !places.contains($0) }.map { ($0, parsed[$0] ?? "") }
      hosts = Address.hosts(places.map { ($0, Address.list(parsed[$0])) })
      name = Address.name(parsed)
    }

    private static func list(_ text: String?) -> [String] {
      text?.split(separator: ",", omittingEmptySubsequences: false).map(String.init) ?? []
    }

    /// One entry for each host; a single port is that of all.
    private static func hosts(
      _ lists: [(keyword: String, values: [String])]
    ) -> [[(keyword: String, value: String)]] {
      let ports = lists.first { $0.keyword == "port" }?.values ?? []
      let count = max(1, lists.filter { $0.keyword != "port" }.map(\.values.count).max() ?? 1)
      return (0..<count).map { index in
        lists.compactMap { keyword, values in
          let value =
            keyword == "port" && ports.count == 1
            ? values[0] : index < values.count ? values[index] : ""
          return value.isEmpty ? nil : (keyword, value)
        }
      }
    }

    private static func name(_ parsed: [String: String]) -> String {
      let hosts = list(parsed["host"] ?? parsed["hostaddr"])
      let ports = list(parsed["port"])
      let places = hosts.indices.map { index -> String in
        let port = ports.count == 1 ? ports[0] : index < ports.count ? ports[index] : ""
        // A folder of sockets would look like a path of the URL.
        let host = hosts[index].split(separator: "/", omittingEmptySubsequences: false)
          .joined(separator: "%2F")
        return port.isEmpty ? host : host + ":" + port
      }
      let user = parsed["user"].map { $0 + "@" } ?? ""
      let database = parsed["dbname"] ?? parsed["user"] ?? ""
      return "postgresql://" + user + places.joined(separator: ",") + "/" + database
    }
  }
#endif
