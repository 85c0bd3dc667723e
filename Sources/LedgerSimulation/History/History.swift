internal import Histogram

/// All that is kept of a run: enough to judge it again, with the same verdict in the same words.
///
/// On disk it is NDJSON: one flat JSON object on each line, UTF-8, the members in any order, no
/// others than these. Times are integers in microseconds: `_boot_us` since boot, `_at_us` since
/// 1970. What is missing is null.
///
/// - The first line has `schema`, `tradeledger.history/2`, the options, the seed, how long the
///   workers traded (`elapsed_us`) and the signal that ended them, if one did.
/// - Then, each with its kind in `line`: `worker` (one for each, with the kills), `failure`, `bot`,
///   `call`, `row`, `tenure`, `conflict`, `order`, `jump` (of the workers' wall clock)
///   and `strike` (what was done to a process).
/// - The last line is `end`, with the number of `lines` before it, so that a file that was cut off
///   is noticed.
///
/// A file with another number after the slash belongs to another version and is refused.
public struct History: Equatable, Sendable {
  var options: SimulationOptions
  /// How long the workers traded.
  var elapsed: Duration
  /// The signal that ended the run early, if one did.
  var interruption: Int32?
  /// What went wrong with workers.
  var failures: [String] = []
  /// By worker.
  var kills: [Int]
  /// What was done to the workers; its jumps are those of the evidence.
  var faults = InjectedFaults()
  var evidence: Evidence

  /// Judges what is known.
  func result() -> SimulationResult {
    var faults = faults
    faults.kills = kills.reduce(0, +)
    faults.jumps = evidence.clockJumps
    return SimulationResult(
      options, evidence: evidence, places: places(), failures: failures, plan: FaultPlan(options),
      faults: faults, elapsed: elapsed, interruption: interruption)
  }

  /// The workers' places as far as a result needs them.
  private func places() -> [WorkerPlace] {
    var places = kills.map { kills in
      var place = WorkerPlace()
      place.kills = kills
      return place
    }
    for call in evidence.calls {
      guard let end = call.ordered ?? call.told else { continue }
      places[call.worker].record(from: call.called, to: end)
    }
    return places
  }

  /// Judges the history in a file again. Needs no ledger and starts no process.
  /// - Throws: ``HistoryError``, with the line that makes no sense.
  public static func judge(path: String) throws(HistoryError) -> SimulationResult {
    try History(bytes: HistoryFile.contents(of: path)).result()
  }
}

/// Why there is no history.
public struct HistoryError: Error, Equatable, Sendable {
  public enum Kind: Sendable {
    /// There is no file, or none that can be read.
    case noInput
    /// The file is not a history, or not a whole one.
    case badData
    /// A new file cannot be made there.
    case cannotCreate
    /// Writing failed.
    case io
  }
  public let kind: Kind
  public let message: String
  /// What to do next.
  public let hint: String
}
