internal import TradeLedger

/// One screen of `status --watch`. Made for 80 columns; wider ones show longer names.
struct StatusFrame {
  let look: Result<StatusWatch.Look, Failure>
  let interval: Duration

  /// A line before it is cut and painted.
  private struct Line {
    enum Tone { case plain, strong, good, bad, faint }
    let text: String
    var tone = Tone.plain
  }

  /// - Parameters: nil for no limit.
  func lines(columns: Int?, rows: Int?, _ colors: Colors) -> [String] {
    painted(content(columns ?? 10_000, rows), columns, colors)
  }

  private func painted(_ lines: [Line], _ columns: Int?, _ colors: Colors) -> [String] {
    lines.map { line in
      // What is not on a screen is not cut.
      let text = columns.map { escaped(line.text).cut(to: $0) } ?? escaped(line.text)
      return switch line.tone {
      case .plain: text
      case .strong: colors.strong(text)
      case .good: colors.good(text)
      case .bad: colors.bad(text)
      case .faint: colors.faint(text)
      }
    }
  }

  /// Bots and instances alone, for a terminal on which their tables do not fit.
  static func tables(_ look: StatusWatch.Look, columns: Int, _ colors: Colors) -> String {
    let frame = StatusFrame(look: .success(look), interval: .zero)
    return frame.painted(frame.bots(look.status, columns) + frame.instances(look), columns, colors)
      .map { $0 + "\n" }.joined()
  }

  private func content(_ columns: Int, _ rows: Int?) -> [Line] {
    switch look {
    case .failure(let failure):
      return [
        Line(text: "error: \(failure.message)", tone: .bad), Line(text: "hint: \(failure.hint)"),
        Line(text: "looking again every \(interval.readable)", tone: .faint),
      ]
    case .success(let look):
      let head = heading(look.status)
      let tail = doubts(look.status) + instances(look)
      // A limit is never silent. On a low screen the bots go first.
      let bots = self.bots(look.status, columns)
      let room = rows.map { max(min(bots.count, 5, $0 - head.count), $0 - head.count - tail.count) }
      guard let room, bots.count > room else { return (head + bots + tail).limited(to: rows) }
      let shown = bots.prefix(max(1, room - 1))
      let more = Line(
        text: "... \(bots.count - shown.count) more bots; 'tradeledger status' has all")
      return (head + shown + [more] + tail).limited(to: rows)
    }
  }

  private func heading(_ status: LedgerStatus) -> [Line] {
    let verdict: Line
    if status.needsAttention {
      verdict = Line(text: "somebody has to look", tone: .bad)
    } else {
      verdict = Line(text: "nothing needs attention", tone: .good)
    }
    return [
      Line(
        text: "\(status.readAt.description.prefix(19))Z  \(status.mode.rawValue)  \(status.path)",
        tone: .strong),
      Line(
        text: "\(status.trades) trades, \(status.conflicts) conflicts, "
          + (status.serverVersion.map { "PostgreSQL " + $0 } ?? "log \(status.walBytes / 1024) KiB")
          + ", every \(interval.readable)", tone: .faint),
      verdict, Line(text: ""),
    ]
  }

  /// 54 columns and the name.
  private func bots(_ status: LedgerStatus, _ columns: Int) -> [Line] {
    let longest = status.bots.map { $0.bot.name.description.count }.max() ?? 0
    let width = min(max(longest, 3), max(8, columns - 54))
    func row(_ cells: [(String, Int)], _ last: String) -> String {
      cells.map { $0.0.cut(to: $0.1).padded(to: $0.1) }.joined(separator: "  ") + "  " + last
    }
    let header = row(
      [("BOT", width), ("STATE", 11), ("WAIT", 8), ("PENDING", 12), ("DOUBT", 5)], "LAST")
    // Those that need somebody first, then those at work.
    let sorted = status.bots.sorted { one, other in
      let (first, second) = (StatusFrame.rank(one), StatusFrame.rank(other))
      return first == second
        ? one.bot.name.description < other.bot.name.description : first < second
    }
    return [Line(text: header, tone: .strong)]
      + sorted.map { bot in
        let pending = bot.pending.map { trade in
          "\(trade.id) (\(StatusFrame.brief(status.readAt.elapsed(since: trade.createdAt))))"
        }
        let last = bot.lastTradeAt.map { at in
          let age = status.readAt.elapsed(since: at)
          return age < .zero
            ? "in \(StatusFrame.brief(.zero - age))" : StatusFrame.brief(age)
        }
        return Line(
          text: row(
            [
              (bot.bot.name.description, width), (bot.state, 11),
              (bot.denial?.retryAfter.map(StatusFrame.brief) ?? "-", 8), (pending ?? "-", 12),
              (bot.inDoubt.isEmpty ? "-" : String(bot.inDoubt.count), 5),
            ], last ?? "-"),
          tone: bot.inDoubt.isEmpty ? bot.state == "ready" ? .good : .plain : .bad)
      }
  }

  private static func rank(_ bot: BotStatus) -> Int {
    !bot.inDoubt.isEmpty ? 0 : bot.pending != nil ? 1 : 2
  }

  private func instances(_ look: StatusWatch.Look) -> [Line] {
    guard !look.instances.isEmpty else { return [] }
    let rows = look.instances.prefix(6).map { instance in
      let holder = instance.holder
      let since = holder?.since.map { StatusFrame.brief(look.status.readAt.elapsed(since: $0)) }
      return Line(
        text: [
          (instance.name.description, 20), (instance.epoch.description, 5),
          (instance.stateName, 6), (holder.map { String($0.pid) } ?? "-", 7), (since ?? "-", 8),
        ].map { $0.0.cut(to: $0.1).padded(to: $0.1) }.joined(separator: "  ")
          + "  " + (holder?.command ?? "-"))
    }
    let more = look.instances.count - rows.count
    return [
      Line(text: ""),
      Line(
        text: "INSTANCE              EPOCH  STATE   PID      FOR       COMMAND", tone: .strong),
    ] + rows + (more > 0 ? [Line(text: "... \(more) more, 'tradeledger instances'")] : [])
  }

  private func doubts(_ status: LedgerStatus) -> [Line] {
    let all = status.bots.flatMap(\.inDoubt)
    guard let oldest = all.first else { return [] }
    let more = all.count - 3
    return [Line(text: ""), Line(text: "look up at the exchange", tone: .bad)]
      + all.prefix(3).map { Line(text: "  key \($0.key) of trade \($0.id)", tone: .bad) }
      + (more > 0 ? [Line(text: "  ... \(more) more, 'tradeledger trades --status in_doubt'")] : [])
      + [Line(text: "then: tradeledger resolve \(oldest.id) --filled (or --void) --reason TEXT")]
  }

  // MARK: Text

  /// Whole seconds, rounded up, so that nothing jumps about.
  private static func brief(_ interval: Duration) -> String {
    let (seconds, rest) = interval.components
    return Duration.seconds(max(0, seconds + (rest > 0 ? 1 : 0))).readable
  }
}

extension Array {
  /// A screen scrolls when it gets one line too many.
  fileprivate func limited(to rows: Int?) -> [Element] {
    rows.map { Array(prefix(Swift.max(1, $0))) } ?? self
  }
}
