/// Pages of help that belong to no single command.
enum HelpTopic: String, CaseIterable {
  case exitCodes = "exit-codes"
  case environment

  /// `tradeledger help TOPIC`.
  init?(_ invocation: Invocation) {
    guard invocation.words.count == 2, invocation.words[0] == "help",
      let topic = HelpTopic(rawValue: invocation.words[1])
    else { return nil }
    self = topic
  }

  var text: String {
    switch self {
    case .exitCodes: HelpTopic.exitCodesText
    case .environment: HelpTopic.environmentText
    }
  }

  private static let exitCodesText = """
    Exit codes of tradeledger

      0    yes: admitted, filled, healthy, no findings, done
      1    no: denied, replayed without a permit, the other outcome stands, findings
      64   usage: an unknown option, a missing argument, a wrong combination
      65   bad data: a malformed number, name, time or duration; not a ledger file
      66   no such ledger, bot or trade; nothing to examine
      69   the engine for this database is not part of the program, or its server
           cannot be reached
      70   internal error, or the outcome is unknown: check before you do anything
      73   cannot create the ledger or the result file
      74   reading or writing failed
      75   busy: nothing was written; try again with the same key. Of guard: another
           process has the name
      77   the operating system forbids it, or the server: a wrong password
      78   unsafe place: network file system, hard link; a ledger of another mode;
           a server that is too old or set up wrongly
      126  guard cannot execute the command
      127  guard does not find the command
      128+n  ended by signal n

    0 is yes, 1 is no, 64 and above is no answer. Trade on 0 and on nothing else.

    """

  private static let environmentText = """
    Environment of tradeledger

      TRADELEDGER_DB     the ledger, without --db; simulate and bench make their own
      TRADELEDGER_TOKEN  the permit's token for fill and void, without --token
      TRADELEDGER_INSTANCE, TRADELEDGER_EPOCH
                         whose trades reserve, record and execute make, without
                         --instance and --epoch: a guarded command is fenced
      NO_COLOR           no colours, where it is not empty; --color always wins
      TERM=dumb          no colours

    Given to the command that guard runs

      TRADELEDGER_DB           the real path of the ledger
      TRADELEDGER_INSTANCE     the instance name and
      TRADELEDGER_EPOCH        its epoch

    Given to the command that execute runs

      TRADELEDGER_DB           the real path of the ledger
      TRADELEDGER_TRADE        the trade's number
      TRADELEDGER_KEY          the client order id, for the exchange
      TRADELEDGER_TOKEN        the permit's token
      TRADELEDGER_VALID_UNTIL  send nothing after this instant (RFC 3339)
      TRADELEDGER_INSTANCE     the instance and
      TRADELEDGER_EPOCH        its epoch, where they were given

    """
}
