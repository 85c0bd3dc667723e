#if PostgreSQL
  /// Which statements the server has prepared for a connection.
  struct Preparations {
    enum Step {
      /// To be asked as it is.
      case unprepared
      /// To be prepared now. It counts as prepared from then on.
      case due
      case prepared
    }

    private var isOver = false
    private var seen: Set<String> = []
    private var prepared: Set<String> = []

    /// What to do before the statement of that name is asked. Not the first time: many processes
    /// ask once.
    mutating func next(_ name: String) -> Step {
      if isOver { return .unprepared }
      if prepared.contains(name) { return .prepared }
      if seen.insert(name).inserted { return .unprepared }
      prepared.insert(name)
      return .due
    }

    /// Nothing is prepared any more.
    mutating func end() { isOver = true }
  }
#endif
