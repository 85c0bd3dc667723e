internal import Logging
internal import TradeLedger

/// `info: trade lock acquired bot=momentum trade=12`, one line each, on stderr.
struct StandardErrorLogHandler: LogHandler {
  var logLevel: Logger.Level = .info
  var metadata: Logger.Metadata = [:]

  subscript(metadataKey key: String) -> Logger.Metadata.Value? {
    get { metadata[key] }
    set { metadata[key] = newValue }
  }

  func log(event: LogEvent) {
    let all = metadata.merging(event.metadata ?? [:]) { _, new in new }
    let fields = all.sorted { $0.key < $1.key }.map { " \($0.key)=\($0.value)" }.joined()
    Console.error(escaped("\(event.level): \(event.message)\(fields)") + "\n")
  }
}
