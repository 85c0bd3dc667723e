// swift-tools-version: 6.2
import PackageDescription

// A trading worker of your own. Outside of this checkout, the first dependency is
// .package(url: "...", branch: "main", traits: ["ServiceLifecycle"]).
let package = Package(
  name: "worker",
  platforms: [.macOS(.v15)],
  dependencies: [
    .package(name: "tradeledger", path: "../..", traits: ["ServiceLifecycle"]),
    .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.6.0"),
    .package(url: "https://github.com/apple/swift-log", from: "1.6.0"),
  ],
  targets: [
    .executableTarget(
      name: "Worker",
      dependencies: [
        .product(name: "TradeLedger", package: "tradeledger"),
        .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
        .product(name: "Logging", package: "swift-log"),
      ])
  ],
  swiftLanguageModes: [.v6]
)
