package dev.fettle.internal;

import java.lang.reflect.Method;
import java.util.logging.Level;
import java.util.logging.Logger;
import org.slf4j.LoggerFactory;

/**
 * Makes DJL quiet. It reports its use to its makers when it runs on EC2; what works on local files must not use the network.
 * And what it tells about its start, and about graphics cards that nobody asked for, does not belong into a program's log: only
 * its errors are shown, unless the program has set a level for {@code ai.djl} itself. SLF4J has no call for that, so it is asked
 * of whatever is behind it: Logback, as in Spring Boot, Log4j, {@code java.util.logging} or slf4j-simple.
 */
public final class DjlSettings {
  private static final String NAME = "ai.djl";
  private static final String SIMPLE = "org.slf4j.simpleLogger.log." + NAME;
  /** Held, as its level goes with it otherwise. */
  private static final Logger JUL = Logger.getLogger(NAME);

  private DjlSettings() {}

  /** To be called before the first class of DJL is used; again it does nothing. */
  public static void apply() {
    if (System.getProperty("OPT_OUT_TRACKING") == null) {
      System.setProperty("OPT_OUT_TRACKING", "true");
    }
    if (System.getProperty(SIMPLE) == null) {
      System.setProperty(SIMPLE, "error");
    }
    if (JUL.getLevel() == null) {
      JUL.setLevel(Level.SEVERE);
    }
    Object logger = LoggerFactory.getLogger(NAME);
    try {
      if (logger.getClass().getName().equals("ch.qos.logback.classic.Logger")) {
        logback(logger);
      } else if (logger.getClass().getName().startsWith("org.apache.logging.slf4j.")) {
        log4j(logger.getClass().getClassLoader());
      }
    } catch (ReflectiveOperationException | RuntimeException e) {
      return; // It says more than it should, no more.
    }
  }

  private static void logback(Object logger) throws ReflectiveOperationException {
    Method level = logger.getClass().getMethod("getLevel");
    if (level.invoke(logger) == null) {
      Object error = level.getReturnType().getMethod("toLevel", String.class).invoke(null, "ERROR");
      logger.getClass().getMethod("setLevel", level.getReturnType()).invoke(logger, error);
    }
  }

  private static void log4j(ClassLoader classes) throws ReflectiveOperationException {
    Class<?> levels = Class.forName("org.apache.logging.log4j.Level", true, classes);
    Object context = Class.forName("org.apache.logging.log4j.LogManager", true, classes).getMethod("getContext", boolean.class)
        .invoke(null, false);
    Object configuration = context.getClass().getMethod("getConfiguration").invoke(context);
    Object configured = configuration.getClass().getMethod("getLoggerConfig", String.class).invoke(configuration, NAME);
    if (!NAME.equals(configured.getClass().getMethod("getName").invoke(configured))) {
      Class.forName("org.apache.logging.log4j.core.config.Configurator", true, classes)
          .getMethod("setLevel", String.class, levels).invoke(null, NAME, levels.getField("ERROR").get(null));
    }
  }
}
