// Makes mutants of good ledgers, opens each with the library, and compares what it says with what
// is known. An error is a right answer, and so is the known one; anything else only where the
// mutant is itself a sound ledger.
//
//   LedgerTestFuzzer DIRECTORY --seed N --files N
//
// Prints a table, and exits with 1 where an answer was wrong. A crash ends the process: DIRECTORY
// then holds the mutant, as the library left it, and `seed` holds its number.

import Glibc
import TradeLedger

func number(after option: String) -> UInt64? {
  let place = CommandLine.arguments.firstIndex(of: option)
  return place.flatMap { CommandLine.arguments.dropFirst($0 + 1).first }.flatMap { UInt64($0) }
}

let directory = CommandLine.arguments.dropFirst().first ?? ""
guard directory.hasPrefix("/"), let seed = number(after: "--seed"),
  let files = number(after: "--files")
else {
  print("usage: LedgerTestFuzzer DIRECTORY --seed N --files N")
  exit(64)
}

let campaign = try await Campaign(directory)
for number in seed..<(seed + files) { await campaign.run(number) }
campaign.report()
exit(campaign.isClean ? 0 : 1)
