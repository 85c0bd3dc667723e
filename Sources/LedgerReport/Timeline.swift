internal import TradeLedger

/// All lanes above each other, on one time axis.
extension Page {
  var timeline: HTML {
    let isEmpty = builder.tradeCount + builder.eventCount + builder.denialCount == 0
    guard !drawn.isEmpty, !isEmpty else { return "" }
    let start = frame.range.lowerBound
    let axis = TimeAxis(frame.range, from: frame.axis == .elapsed ? start : nil)
    let doubleLimit = max(1, Limits.doubles / drawn.count)
    var lanes: HTML = ""
    for (number, lane) in drawn.enumerated() {
      lanes +=
        LaneFigure(
          lane, axis, number: number, doubles: doublesOfBot[lane.bot.name] ?? [],
          doubleLimit: doubleLimit, knowsDenials: frame.knowsDenials
        ).html
    }
    let scale: HTML = """
      <div class="lane scale" aria-hidden="true"><div class="name"></div>\
      <svg height="16">\(axis.labels(y: 12))</svg></div>

      """
    return """
      <section aria-labelledby="timeline">
      <h2 id="timeline">Timeline</h2>
      <p>\(Array(notes(doubleLimit).map { "\($0) " as HTML }))</p>
      \(Symbols.legend(frame, builder.events))
      <div class="lanes">
      \(scale)\(eventLane(axis))\(lanes)\(drawn.count > 6 ? scale : "")</div>
      </section>
      """
  }

  /// What the reader has to know about the pictures, in sentences.
  private func notes(_ doubleLimit: Int) -> [String] {
    let (start, end) = (frame.range.lowerBound, frame.range.upperBound)
    let span = end.elapsed(since: start).readable
    let scale = frame.axis == .elapsed ? "and counts from there" : "in UTC"
    var notes = ["The axis begins at \(start) and is \(span) wide, \(scale)."]
    let binned = drawn.filter { $0.trades == nil }
    if !binned.isEmpty {
      let width = Columns(range: frame.range, count: Limits.columns).width.readable
      notes.append(
        "In \(binned.count) of \(counted(drawn.count, "lane")) the trades are too many to be drawn "
          + "one by one: there, columns of \(width) count them, each lane by its own highest.")
    }
    let dense = drawn.filter { $0.denials == nil }
    if !dense.isEmpty {
      notes.append(
        "In \(dense.count) of \(counted(drawn.count, "lane")) the denials are counted so as well.")
    }
    if !frame.knowsDenials { notes.append("Denials are not shown: a ledger stores none.") }
    if drawn.count < builder.lanes.count {
      notes.append(
        "\(grouped(builder.lanes.count - drawn.count)) more bots are not drawn: \(frame.more)")
    }
    let unmarked = drawn.reduce(0) { sum, lane in
      sum + max(0, (doublesOfBot[lane.bot.name]?.count ?? 0) - doubleLimit)
    }
    if unmarked > 0 {
      notes.append("\(counted(unmarked, "double trade")) more are counted but not marked.")
    }
    return notes
  }

  /// What was done to the processes, above the bots.
  private func eventLane(_ axis: TimeAxis) -> HTML {
    guard !builder.events.isEmpty else { return "" }
    var marks: HTML = ""
    for event in builder.events {
      let share = axis.columns.share(event.at)
      marks += """
        <line class="event" x1="\(share: share)" x2="\(share: share)" y1="16" y2="28"/>\
        <text class="event" x="\(share: share)" y="14">\(String(event.letter))\
        <title>\(event.name): \(event.target), \(event.at.description)</title></text>
        """
    }
    let left = builder.eventCount - builder.events.count
    let note = left > 0 ? " (\(grouped(left)) more are not drawn)" : ""
    let what = counted(builder.eventCount, "fault") + " injected" + note
    return """
      <div class="lane"><div class="name"><b>Faults</b><br/>\(what)</div>
      <svg role="img" aria-labelledby="ft" height="30"><title id="ft">\(what)</title>\
      <rect class="ground" width="100%" height="30"/>\(axis.grid(from: 0, to: 30))\(marks)</svg>\
      </div>

      """
  }
}
