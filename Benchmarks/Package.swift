// swift-tools-version: 6.2
import PackageDescription

// Measurements. A package of its own, so that a user of the library never resolves it.
let package = Package(
  name: "benchmarks",
  platforms: [.macOS(.v15)],
  dependencies: [.package(name: "tradeledger", path: "..", traits: [])],
  targets: [
    .executableTarget(
      name: "CostOfTheLibrary",
      dependencies: [.product(name: "TradeLedger", package: "tradeledger")]),
    .executableTarget(name: "CostInC", linkerSettings: [.linkedLibrary("sqlite3")]),
  ],
  swiftLanguageModes: [.v6]
)
