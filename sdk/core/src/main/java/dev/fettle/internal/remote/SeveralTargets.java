package dev.fettle.internal.remote;

import dev.fettle.Batch;
import dev.fettle.Datum;
import dev.fettle.InvalidInputException;
import dev.fettle.ServiceException;
import dev.fettle.UnsupportedModelException;
import dev.fettle.internal.wire.WireException;
import java.util.function.Consumer;

/**
 * Whether a service takes several targets at a position. None says so, and one that does not may read them as one row and
 * add a wrong gradient: it is asked once, by a pass that changes nothing. Thread-safe.
 */
final class SeveralTargets {
  private static final Batch QUESTION =
      Batch.of(Datum.supervised(new int[] {0, 0}, new int[][] {{0, 1}, {1, 0}}, new float[][] {{1, 1}, {1, 1}}));

  private volatile boolean taken;

  /**
   * Asks, where a batch needs it and it is not known.
   *
   * @param forward a forward pass; it fails where what comes back does not fit the batch
   * @throws UnsupportedModelException if the service does not take them
   */
  void require(Batch batch, String host, Consumer<Batch> forward) {
    if (taken || batch.data().stream().allMatch(d -> d.width() == 1)) {
      return;
    }
    try {
      forward.accept(QUESTION);
      taken = true;
    } catch (InvalidInputException e) {
      throw refused(host, e);
    } catch (ServiceException e) {
      throw e.getCause() instanceof WireException ? refused(host, e) : e;
    }
  }

  private static UnsupportedModelException refused(String host, Exception e) {
    return new UnsupportedModelException("the service at " + host + " does not take several targets at a position; nothing was "
        + "trained. Give each of them as a datum of its own. It said: " + e.getMessage());
  }
}
