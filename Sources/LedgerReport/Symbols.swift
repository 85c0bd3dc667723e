/// The marks: a shape and mostly a letter beside the colour, so that none depends on colour alone.
enum Symbols {
  /// Drawn once, used by name everywhere.
  static let definitions: HTML = """
    <svg class="symbols" width="0" height="0" aria-hidden="true"><defs>
    <circle id="filled" class="filled" r="5.5"/>
    <g id="void"><rect class="void" x="-6" y="-6" width="12" height="12"/>\
    <text class="letter" y="3.5">V</text></g>
    <g id="pending"><rect class="pending" x="-7" y="-7" width="14" height="14" rx="3"/>\
    <text class="letter on" y="4">P</text></g>
    <g id="doubt"><path class="doubt" d="M0-9 9 7H-9z"/><text class="letter on" y="5">?</text></g>
    <g id="double"><path class="double" d="M-10-8H10L0 10z"/>\
    <text class="letter white" y="2">D</text></g>
    <g id="a"><circle class="filled" r="9"/><text class="letter big" y="4.5">A</text></g>
    <g id="b"><path class="double" d="M0-12 12 0 0 12-12 0z"/>\
    <text class="letter big white" y="4.5">B</text></g>
    <circle id="other" class="other" r="4"/>
    <path id="arrow" class="arrow" d="M-8-5 0 0-8 5z"/>
    </defs></svg>
    """

  static func legend(_ frame: ReportFrame, _ events: [ReportEvent]) -> HTML {
    var entries: [HTML] = [
      entry("<use href=\"#filled\" x=\"12\" y=\"10\"/>", "filled"),
      entry("<use href=\"#void\" x=\"12\" y=\"10\"/>", "void: not sent"),
      entry(
        "<line class=\"open pending\" x1=\"12\" x2=\"24\" y1=\"10\" y2=\"10\"/>"
          + "<use href=\"#pending\" x=\"9\" y=\"10\"/>", "pending, open to the right"),
      entry(
        "<line class=\"open doubt\" x1=\"12\" x2=\"24\" y1=\"12\" y2=\"12\"/>"
          + "<use href=\"#doubt\" x=\"10\" y=\"11\"/>", "in doubt, open to the right"),
      entry(
        "<rect class=\"band\" width=\"24\" y=\"3\" height=\"14\"/>",
        "cooldown, stronger where several overlap"),
    ]
    if !frame.doubles.isEmpty {
      entries.append(entry("<use href=\"#double\" x=\"12\" y=\"10\"/>", "double trade"))
    }
    if frame.knowsDenials {
      entries.append(entry("<path class=\"ticks\" d=\"M4 4v12M10 4v12M15 4v12\"/>", "denied"))
    }
    var seen: Set<Character> = []
    for event in events where seen.insert(event.letter).inserted {
      entries.append(
        entry("<text class=\"event\" x=\"12\" y=\"15\">\(String(event.letter))</text>", event.name))
    }
    return "<ul class=\"legend\">\(entries)</ul>"
  }

  private static func entry(_ picture: HTML, _ words: String) -> HTML {
    """
    <li><svg width="24" height="20" aria-hidden="true">\(picture)</svg> \(words)</li>

    """
  }
}
