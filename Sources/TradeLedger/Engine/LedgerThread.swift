internal import Synchronization

#if canImport(Glibc)
  internal import Glibc
#else
  internal import Darwin
#endif

/// One thread that runs the jobs of one engine, in order, and of the tasks that prefer it.
///
/// Waiting for a lock blocks the thread that asks SQLite; this keeps that wait off the cooperative
/// pool. The thread ends when its last owner is gone and its queue is empty.
///
/// `@unchecked Sendable`, the only one of the library: everything mutable is in `Queue`, guarded by
/// its mutex, and the thread keeps the queue alive, not this object.
@safe
package final class LedgerThread: SerialExecutor, TaskExecutor, @unchecked Sendable {
  private let queue = Queue()

  /// A thread of its own.
  convenience init() {
    self.init(of: ())
    var thread = pthread_t()
    let context = unsafe Unmanaged.passRetained(queue).toOpaque()
    let code = unsafe pthread_create(
      &thread, nil,
      { context in
        guard let context = unsafe context else { return nil }
        unsafe Unmanaged<Queue>.fromOpaque(context).takeRetainedValue().run()
        return nil
      }, context)
    precondition(code == 0, "no thread could be made: errno \(code)")
    pthread_detach(thread)
  }

  /// A queue that a thread of its caller's works off.
  private init(of _: Void) {}

  deinit { queue.stop() }

  /// Runs `body` to its end on the thread that calls this, which also becomes the thread of every
  /// ledger that is opened with ``Ledger/Options/thread``: a program that asks a ledger one thing
  /// makes no thread for it.
  package static func onThisThread<Result: Sendable>(
    _ body: @escaping @Sendable (LedgerThread) async -> Result
  ) -> Result {
    let thread = LedgerThread(of: ())
    let slot = Slot<Result>()
    Task(executorPreference: thread) { thread.finish(slot, await body(thread)) }
    return thread.work(for: slot)
  }

  /// Runs `body` to its end on other threads, while the one that calls this waits.
  package static func waitHere<Result: Sendable>(
    _ body: @escaping @Sendable () async -> Result
  ) -> Result {
    let thread = LedgerThread(of: ())
    let slot = Slot<Result>()
    Task { thread.finish(slot, await body()) }
    return thread.work(for: slot)
  }

  private func finish<Result>(_ slot: Slot<Result>, _ result: Result) {
    slot.value.withLock { $0 = result }
    queue.stop()
  }

  private func work<Result>(for slot: Slot<Result>) -> Result {
    queue.run()
    guard let result = slot.value.withLock({ $0 }) else {
      preconditionFailure("the queue was stopped early")
    }
    return result
  }

  private final class Slot<Value: Sendable>: Sendable {
    let value = Mutex<Value?>(nil)
  }

  package func enqueue(_ job: consuming ExecutorJob) {
    queue.add(UnownedJob(job), for: self)
  }

  /// Whether a job waits behind the one that runs.
  var hasWaitingJobs: Bool { queue.isWaiting }

  /// Jobs and the lock around them.
  @safe
  private final class Queue {
    private let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
    private let condition = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)
    /// Each job keeps its executor alive until it has run.
    private typealias Job = (UnownedJob, LedgerThread)
    /// The oldest job has a place of its own: most of the time it is the only one.
    private var first: Job?
    private var others: [Job] = []
    private var isStopped = false
    private var isAsleep = false

    init() {
      unsafe pthread_mutex_init(mutex, nil)
      unsafe pthread_cond_init(condition, nil)
    }

    deinit {
      unsafe pthread_cond_destroy(condition)
      unsafe pthread_mutex_destroy(mutex)
      unsafe condition.deallocate()
      unsafe mutex.deallocate()
    }

    func add(_ job: UnownedJob, for executor: LedgerThread) {
      unsafe pthread_mutex_lock(mutex)
      if first == nil { first = (job, executor) } else { others.append((job, executor)) }
      let isAsleep = isAsleep
      unsafe pthread_mutex_unlock(mutex)
      // After the unlock, so that the thread does not wake up only to wait for the mutex.
      if isAsleep { unsafe pthread_cond_signal(condition) }
    }

    var isWaiting: Bool {
      unsafe pthread_mutex_lock(mutex)
      defer { unsafe pthread_mutex_unlock(mutex) }
      return first != nil
    }

    func stop() {
      unsafe pthread_mutex_lock(mutex)
      isStopped = true
      unsafe pthread_cond_signal(condition)
      unsafe pthread_mutex_unlock(mutex)
    }

    func run() {
      while let (job, executor) = next() {
        unsafe job.runSynchronously(
          isolatedTo: executor.asUnownedSerialExecutor(),
          taskExecutor: executor.asUnownedTaskExecutor())
      }
    }

    /// Waits for the oldest job and takes it. nil once there is none and the queue was stopped.
    private func next() -> Job? {
      unsafe pthread_mutex_lock(mutex)
      defer { unsafe pthread_mutex_unlock(mutex) }
      while first == nil && !isStopped {
        isAsleep = true
        unsafe pthread_cond_wait(condition, mutex)
        isAsleep = false
      }
      let job = first
      first = others.isEmpty ? nil : others.removeFirst()
      return job
    }
  }
}
