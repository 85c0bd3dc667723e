public import Logging

/// The lines that operators grep for. Data is in the metadata, never in the message.
public enum LogMessage {
  /// A trade was admitted: this process, and no other, may send it.
  public static let tradeLockAcquired: Logger.Message = "trade lock acquired"
  /// A trade was refused because the last one is too recent.
  public static let cooldownRemaining: Logger.Message = "cooldown remaining"
  /// A trade was refused for another reason; see `reason`.
  public static let tradeDenied: Logger.Message = "trade denied"
  /// A trade was filled or declared void.
  public static let tradeSettled: Logger.Message = "trade settled"
  /// The caller's code failed after it may have sent the order.
  public static let tradeInDoubt: Logger.Message = "trade in doubt"
  /// This process, or the one that it named, has the instance name.
  public static let instanceAcquired: Logger.Message = "instance acquired"
  /// Another process has the instance name.
  public static let instanceHeld: Logger.Message = "instance held"
}
