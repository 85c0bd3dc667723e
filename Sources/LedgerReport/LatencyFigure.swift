internal import TradeLedger

/// How long things took: a histogram on a logarithmic axis, and percentiles.
extension Page {
  var latency: HTML {
    let histogram = builder.latency
    guard histogram.count > 0 else { return "" }
    let shares: [(name: String, share: Double)] = [
      ("p50", 0.5), ("p90", 0.9), ("p99", 0.99), ("p99.9", 0.999), ("max", 1),
    ]
    let percentiles = shares.map { ($0.name, readable(histogram.value(at: $0.share) ?? 0)) }
    let finding =
      "half of \(grouped(histogram.count)) took at most \(percentiles[0].1), "
      + "99 % at most \(percentiles[2].1), the longest \(readable(histogram.largest))"
    var cells: HTML = ""
    for (name, value) in percentiles { cells += "<div><dt>\(name)</dt><dd>\(value)</dd></div>\n" }
    return """
      <section aria-labelledby="latency">
      <h2 id="latency">\(frame.latencyName)</h2>
      <dl>
      \(cells)</dl>
      \(picture(histogram, finding))
      <p>The columns double in width every two steps.</p>
      </section>
      """
  }

  private func picture(_ histogram: LatencyHistogram, _ finding: String) -> HTML {
    let classes = histogram.classes
    let highest = Double(classes.map(\.count).max() ?? 1)
    let width = 1 / Double(max(classes.count, 8))
    var bars: HTML = ""
    for (number, column) in classes.enumerated() {
      let height = column.count == 0 ? 0 : max(2, Double(column.count) / highest * 110)
      let left = Double(number) * width
      bars += """
        <rect class="filled" x="\(share: left + width * 0.05)" width="\(share: width * 0.9)" \
        y="\(length: 130 - height)" height="\(length: height)">\
        <title>from \(readable(column.from)): \(grouped(column.count))</title></rect>
        """
      let every = max(1, (classes.count + 7) / 8)
      if number % every == 0 {
        let odd: HTML = number / every % 2 == 1 ? " odd" : ""
        // On a narrow screen a label that begins here would be cut at the edge.
        let isLast = left > 0.88
        let side: HTML = isLast ? "end" : "start"
        bars += """
          <text class="tick \(side)\(odd)" x="\(share: isLast ? left + width : left)" \
          y="146">\(readable(column.from))</text>
          """
      }
    }
    return """
      <svg role="img" aria-labelledby="ht hd" height="150"><title id="ht">\(frame.latencyName): \
      \(finding)</title><desc id="hd">A histogram; the highest column counts \
      \(grouped(Int(highest))).</desc><rect class="ground" width="100%" height="130"/>\(bars)</svg>
      """
  }

  private func readable(_ microseconds: Int64) -> String {
    let interval = Duration.microseconds(microseconds)
    // Below ten milliseconds the digits after the point matter.
    guard microseconds >= 1000 && microseconds < 10_000 else { return interval.readable }
    return "\(microseconds / 1000).\(microseconds % 1000 / 100)ms"
  }
}
