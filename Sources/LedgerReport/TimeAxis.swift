internal import TradeLedger

/// A time axis: where its ticks are and what they are called.
struct TimeAxis {
  struct Tick {
    /// From 0 to 1.
    let share: Double
    let label: String
    /// Named by its date.
    let isDate: Bool
  }

  let columns: Columns
  let ticks: [Tick]

  /// - Parameter origin: what the axis counts from; nil for the time of day in UTC.
  init(_ range: ClosedRange<Timestamp>, from origin: Timestamp?) {
    let columns = Columns(range: range, count: Limits.columns)
    let start = range.lowerBound.microseconds
    let end = range.upperBound.microseconds
    let step = TimeAxis.step(for: end - start)
    let base = origin?.microseconds ?? 0
    var at = base + Int64((Double(start - base) / Double(step)).rounded(.up)) * step
    var ticks: [Tick] = []
    while at <= end {
      let instant = Timestamp(microseconds: at)
      let label = origin == nil ? TimeAxis.clock(instant, step) : TimeAxis.elapsed(at - base, step)
      let isDate = origin == nil && at % TimeAxis.day == 0
      ticks.append(Tick(share: columns.share(instant), label: label, isDate: isDate))
      at += step
    }
    self.columns = columns
    self.ticks = ticks
  }

  private static let day: Int64 = 86_400_000_000

  /// The least step that gives at most nine ticks.
  private static func step(for span: Int64) -> Int64 {
    let second: Int64 = 1_000_000
    var steps: [Int64] = []
    for power in [1, 10, 100, 1000, 10_000, 100_000] as [Int64] {
      steps += [power, 2 * power, 5 * power]
    }
    steps += [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800].map { $0 * second }
    steps += [3600, 7200, 10_800, 21_600, 43_200].map { $0 * second }
    steps += [1, 2, 7, 14, 28, 91, 182, 364, 728, 1820, 3640, 18_200, 364_000].map { $0 * day }
    return steps.first { span / $0 < 8 } ?? 3_640_000 * day
  }

  private static func clock(_ instant: Timestamp, _ step: Int64) -> String {
    let text = instant.description
    let time = text.utf8.count == 27 ? text.dropFirst(11).dropLast() : text[...]
    if step >= day { return String(text.prefix(10)) }
    let isMidnight = instant.microseconds % day == 0
    if step >= 60_000_000 { return isMidnight ? String(text.prefix(10)) : String(time.prefix(5)) }
    if step >= 1_000_000 { return String(time.prefix(8)) }
    return String(time.dropFirst(6).prefix(step >= 1000 ? 6 : 9)) + " s"
  }

  private static func elapsed(_ microseconds: Int64, _ step: Int64) -> String {
    guard microseconds != 0 else { return "0" }
    // Whole milliseconds would name two ticks alike.
    let isFine = step < 1000
    let interval = isFine ? "\(microseconds)us" : Duration.microseconds(microseconds).readable
    return (microseconds > 0 ? "+" : "") + interval
  }
}

// MARK: - Markup

extension TimeAxis {
  /// Lines through a picture, behind everything else.
  func grid(from top: Int, to bottom: Int) -> HTML {
    var lines: HTML = ""
    for tick in ticks {
      lines += """
        <line class="grid" x1="\(share: tick.share)" x2="\(share: tick.share)" y1="\(top)" \
        y2="\(bottom)"/>
        """
    }
    return lines
  }

  /// The names of the ticks. Every other one gives way where the page is narrow; dates stay.
  func labels(y: Int) -> HTML {
    var labels: HTML = ""
    let kept = (ticks.firstIndex(where: \.isDate) ?? 0) % 2
    for (number, tick) in ticks.enumerated() {
      let anchor: HTML =
        tick.share < 0.06 ? " start" : tick.share > 0.94 ? " end" : ""
      let odd: HTML = number % 2 != kept ? " odd" : ""
      labels += """
        <text class="tick\(odd)\(anchor)" x="\(share: tick.share)" y="\(y)">\(tick.label)</text>
        """
    }
    return labels
  }
}
