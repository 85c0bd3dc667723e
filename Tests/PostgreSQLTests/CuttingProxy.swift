#if PostgreSQL
  import Foundation
  import Synchronization

  /// Stands between a client and a server, and cuts connections where it is told to. It also stands
  /// still, and gives the server another version.
  final class CuttingProxy: Sendable {
    enum Cut {
      /// What the client has sent does not reach the server.
      case question
      /// It does, and what the server answers does not reach the client.
      case answer
      /// What the client has sent does not reach the server, and the connection stays as it is.
      case stall
    }

    /// What happens once the client sends something with `text` in it.
    private struct Trap {
      let text: [UInt8]
      let cut: Cut?
      let action: @Sendable () -> Void
    }

    private struct State {
      var next: [Cut] = []
      var traps: [Trap] = []
      var isRefusing = false
      var isSilent = false
      var silenced: [Int32] = []
      var done = 0
      var asked = 0
      var connections = 0
      var version: String?
      var isStalled = (questions: false, answers: false)
    }

    private let state = Mutex(State())
    private let changed = NSCondition()
    private let upstream: Int
    private let listener: Int32
    let port: Int

    init(upstream: Int, host: String = "127.0.0.1", port: Int = 0) throws {
      self.upstream = upstream
      listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
      var address = CuttingProxy.address(port: port, host)
      var length = socklen_t(MemoryLayout<sockaddr_in>.size)
      let listener = listener
      let code = withUnsafeMutablePointer(to: &address) { pointer in
        pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { pointer in
          bind(listener, pointer, length) == 0 && listen(listener, 64) == 0
            ? getsockname(listener, pointer, &length) : -1
        }
      }
      guard code == 0 else { throw POSIXError(.EADDRINUSE) }
      self.port = Int(UInt16(bigEndian: address.sin_port))
      Thread.detachNewThread { [self] in accept() }
    }

    /// Ends with the test: a new connection is what wakes it up.
    func close() {
      resume()
      let silenced = state.withLock { state in
        state.isRefusing = true
        return state.silenced
      }
      for client in silenced { Glibc.close(client) }
      shutdown(listener, Int32(SHUT_RDWR))
    }

    /// The next ones that ask are cut off, one after the other.
    func cut(_ cuts: Cut...) { state.withLock { $0.next += cuts } }
    /// The first to ask with `text` is cut off, or is not. Traps are for one time each, and one
    /// after the other. (A statement that is prepared is asked without its text.)
    ///
    /// - Parameter action: done before what was sent goes on; of a lost answer, once the server has
    ///   given it and before the client knows that it is lost.
    func trap(_ text: String, _ cut: Cut? = nil, _ action: @escaping @Sendable () -> Void = {}) {
      state.withLock { $0.traps.append(Trap(text: Array(text.utf8), cut: cut, action: action)) }
    }

    /// Lets new connections in and says nothing to them.
    func silence() { state.withLock { $0.isSilent = true } }
    /// Takes no new connection until told otherwise.
    func refuse(_ isRefusing: Bool) { state.withLock { $0.isRefusing = isRefusing } }
    /// Takes what comes and passes nothing on: what clients send, and what they are answered.
    func stall(questions: Bool = true, answers: Bool = true) {
      state.withLock { $0.isStalled = (questions, answers) }
    }
    func resume() {
      changed.withLock {
        stall(questions: false, answers: false)
        changed.broadcast()
      }
    }
    /// Two digits in the place of those of the server's version.
    func pretend(version: String?) { state.withLock { $0.version = version } }
    /// What clients have asked once they were logged in.
    var asked: Int { state.withLock { $0.asked } }
    var connections: Int { state.withLock { $0.connections } }
    var cutsDone: Int { state.withLock { $0.done } }
    /// No cut and no trap is left over.
    var isDone: Bool { state.withLock { $0.next.isEmpty && $0.traps.isEmpty } }

    /// The URL of `url`'s database through here.
    func url(_ url: String) -> String {
      var parts = URLComponents(string: url)
      parts?.host = "127.0.0.1"
      parts?.port = port
      return parts?.string ?? url
    }

    private static func address(port: Int, _ host: String = "127.0.0.1") -> sockaddr_in {
      var address = sockaddr_in()
      address.sin_family = sa_family_t(AF_INET)
      address.sin_addr.s_addr = inet_addr(host)
      address.sin_port = UInt16(port).bigEndian
      return address
    }

    private func accept() {
      while true {
        let client = Glibc.accept(listener, nil, nil)
        if client < 0 { break }
        let isSilent = state.withLock { state in
          if state.isSilent { state.silenced.append(client) }
          return state.isSilent
        }
        if isSilent { continue }
        state.withLock { $0.connections += 1 }
        var address = CuttingProxy.address(port: upstream)
        let server = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        let code = withUnsafePointer(to: &address) { pointer in
          pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
            connect(server, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
          }
        }
        guard code == 0, !state.withLock({ $0.isRefusing }) else {
          Glibc.close(client)
          Glibc.close(server)
          continue
        }
        let pair = Pair(client, server)
        Thread.detachNewThread { [self] in pump(pair, toServer: true) }
        Thread.detachNewThread { [self] in pump(pair, toServer: false) }
      }
      Glibc.close(listener)
    }

    /// Both ends of a connection, and whether the client has logged in.
    private final class Pair: Sendable {
      let client: Int32
      let server: Int32
      private let count = Mutex(
        (open: 2, isLoggedIn: false, swallows: (@Sendable () -> Void)?.none))

      init(_ client: Int32, _ server: Int32) {
        self.client = client
        self.server = server
      }

      func end() {
        shutdown(client, Int32(SHUT_RDWR))
        shutdown(server, Int32(SHUT_RDWR))
        let isLast = count.withLock { count in
          count.open -= 1
          return count.open == 0
        }
        if isLast {
          Glibc.close(client)
          Glibc.close(server)
        }
      }

      var isLoggedIn: Bool {
        get { count.withLock { $0.isLoggedIn } }
        set { count.withLock { $0.isLoggedIn = newValue } }
      }
      /// What the server says next is swallowed, and this is done then.
      var swallows: (@Sendable () -> Void)? {
        get { count.withLock { $0.swallows } }
        set { count.withLock { $0.swallows = newValue } }
      }
    }

    /// Whether one of these messages carries a statement out: Execute or Query, and not Parse.
    private static func isExecuting(_ messages: ArraySlice<UInt8>) -> Bool {
      var rest = messages
      while rest.count >= 5 {
        if [UInt8(ascii: "E"), UInt8(ascii: "Q")].contains(rest.first) { return true }
        let length = rest.dropFirst().prefix(4).reduce(0) { $0 << 8 | Int($1) }
        rest = rest.dropFirst(1 + length)
      }
      return false
    }

    /// What is to be done with what a client has sent.
    private func cut(of sent: ArraySlice<UInt8>) -> (Cut?, @Sendable () -> Void) {
      state.withLock { state in
        if let trap = state.traps.first, sent.firstRange(of: trap.text) != nil {
          state.traps.removeFirst()
          state.done += trap.cut == nil ? 0 : 1
          return (trap.cut, trap.action)
        }
        guard !state.next.isEmpty else { return (nil, {}) }
        state.done += 1
        return (state.next.removeFirst(), {})
      }
    }

    private func pump(_ pair: Pair, toServer: Bool) {
      var buffer = [UInt8](repeating: 0, count: 65_536)
      let (from, to) = toServer ? (pair.client, pair.server) : (pair.server, pair.client)
      pumping: while true {
        let count = read(from, &buffer, buffer.count)
        if count <= 0 { break }
        let isQuestion = toServer && pair.isLoggedIn
        // (The client may also just say goodbye.)
        if isQuestion && buffer[0] != UInt8(ascii: "X") { state.withLock { $0.asked += 1 } }
        changed.withLock {
          while state.withLock({ toServer ? $0.isStalled.questions : $0.isStalled.answers }) {
            changed.wait()
          }
        }
        if isQuestion, CuttingProxy.isExecuting(buffer[..<count]) {
          let (cut, action) = cut(of: buffer[..<count])
          if cut != .answer { action() }
          if cut == .question { break pumping }
          if cut == .stall { continue }
          if cut == .answer { pair.swallows = action }
        }
        if !toServer {
          // ReadyForQuery, the end of a login.
          if buffer[..<count].suffix(6).starts(with: [UInt8(ascii: "Z"), 0, 0, 0, 5]) {
            pair.isLoggedIn = true
          }
          if let swallowed = pair.swallows {
            swallowed()
            break pumping
          }
          if let version = state.withLock({ $0.version }),
            let place = buffer[..<count].firstRange(of: Array("server_version\0".utf8))
          {
            buffer.replaceSubrange(place.upperBound..<place.upperBound + 2, with: version.utf8)
          }
        }
        var sent = 0
        while sent < count {
          let written = buffer.withUnsafeBytes {
            send(to, $0.baseAddress! + sent, count - sent, Int32(MSG_NOSIGNAL))
          }
          if written <= 0 { break pumping }
          sent += written
        }
      }
      pair.end()
    }
  }
#endif
