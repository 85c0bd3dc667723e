#if PostgreSQL
  internal import Synchronization

  #if canImport(Glibc)
    internal import Glibc
  #else
    internal import Darwin
  #endif

  /// Looks names of hosts up. `getaddrinfo` knows no limit, and libpq calls it: so it is called
  /// before, on a thread of its own, and libpq is given addresses.
  enum Resolver {
    /// At most one thread for each name: whoever asks meanwhile waits for the same answer.
    private static let running = Mutex<[String: Lookup]>([:])

    /// The place with each address of its host, for libpq; the place alone where nothing has to be
    /// looked up: an address, a folder of sockets, or what libpq takes where no host is named.
    static func places(
      _ place: [(keyword: String, value: String)], _ deadline: Deadline
    ) throws(PostgreSQLError) -> [[(keyword: String, value: String)]] {
      guard let host = place.first(where: { $0.keyword == "host" })?.value,
        !place.contains(where: { $0.keyword == "hostaddr" }), isName(host)
      else { return [place] }
      return try addresses(of: host, deadline).map { place + [("hostaddr", $0)] }
    }

    private static func isName(_ host: String) -> Bool {
      !host.hasPrefix("/") && !host.hasPrefix("@") && !host.contains(":")
        && !host.allSatisfy { $0.isNumber || $0 == "." }
    }

    private static func addresses(
      of name: String, _ deadline: Deadline
    ) throws(PostgreSQLError) -> [String] {
      let lookup = try running.withLock { running throws(PostgreSQLError) in
        if let lookup = running[name] { return lookup }
        let lookup = try Lookup()
        // It cannot end before it is in the table: that waits for the lock.
        try lookup.start(name) { Resolver.running.withLock { $0[name] = nil } }
        running[name] = lookup
        return lookup
      }
      guard deadline.wait(for: lookup.signal, reading: true, writing: false) == .ready,
        let addresses = lookup.answer
      else {
        throw PostgreSQLError(
          message: "the name of the host \"\(name)\" is not resolved in time",
          isConnectionLost: true)
      }
      return try addresses.get()
    }
  }

  /// One name that is being looked up.
  @safe
  private final class Lookup: Sendable {
    /// Can be read from once there is an answer.
    let signal: Int32
    private let writeEnd: Int32
    private let found = Mutex<Result<[String], PostgreSQLError>?>(nil)

    init() throws(PostgreSQLError) {
      var ends: [Int32] = [-1, -1]
      guard unsafe pipe(&ends) == 0 else {
        throw PostgreSQLError(message: "no descriptor is left", isConnectionLost: true)
      }
      for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
      signal = ends[0]
      writeEnd = ends[1]
    }

    deinit {
      close(signal)
      close(writeEnd)
    }

    var answer: Result<[String], PostgreSQLError>? { found.withLock { $0 } }

    /// - Parameter ended: done before anybody learns the answer.
    func start(
      _ name: String, ended: @escaping @Sendable () -> Void
    ) throws(PostgreSQLError) {
      let work = Work { [self] in
        let result = Lookup.resolved(name)
        ended()
        found.withLock { $0 = result }
        unsafe _ = write(writeEnd, "!", 1)
      }
      let context = unsafe Unmanaged.passRetained(work)
      var thread = pthread_t()
      let code = unsafe pthread_create(
        &thread, nil,
        { context in
          guard let context = unsafe context else { return nil }
          unsafe Unmanaged<Work>.fromOpaque(context).takeRetainedValue().body()
          return nil
        }, context.toOpaque())
      guard code == 0 else {
        unsafe context.release()
        throw PostgreSQLError(message: "no thread is left", isConnectionLost: true)
      }
      pthread_detach(thread)
    }

    private final class Work: Sendable {
      let body: @Sendable () -> Void
      init(_ body: @escaping @Sendable () -> Void) { self.body = body }
    }

    /// Waits as long as the resolver of the system does.
    private static func resolved(_ name: String) -> Result<[String], PostgreSQLError> {
      var hints = unsafe addrinfo()
      unsafe hints.ai_socktype = streamSocket
      var list: UnsafeMutablePointer<addrinfo>?
      let code = unsafe getaddrinfo(name, nil, &hints, &list)
      defer { if let list = unsafe list { unsafe freeaddrinfo(list) } }
      guard code == 0 else {
        let reason = unsafe String(cString: gai_strerror(code))
        return .failure(
          PostgreSQLError(
            message: "could not translate host name \"\(name)\" to address: \(reason)",
            isConnectionLost: true))
      }
      var addresses: [String] = []
      var entry = unsafe list
      while let address = unsafe entry {
        var text = [CChar](repeating: 0, count: Int(NI_MAXHOST))
        if unsafe getnameinfo(
          address.pointee.ai_addr, address.pointee.ai_addrlen, &text, socklen_t(text.count), nil, 0,
          NI_NUMERICHOST) == 0
        {
          let number = String(
            decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
          if !addresses.contains(number) { addresses.append(number) }
        }
        unsafe entry = address.pointee.ai_next
      }
      return .success(addresses)
    }

    #if canImport(Glibc)
      private static let streamSocket = Int32(SOCK_STREAM.rawValue)
    #else
      private static let streamSocket = SOCK_STREAM
    #endif
  }
#endif
