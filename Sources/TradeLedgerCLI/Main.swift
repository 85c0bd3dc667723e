import ArgumentParser
import Histogram
import Subprocess
@main struct Root: ParsableCommand { func run() { print("x") } }
