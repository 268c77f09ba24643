package dev.fettle.internal.wire;

import java.math.BigInteger;
import tools.jackson.core.JsonParser;
import tools.jackson.databind.DeserializationContext;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.ValueDeserializer;

/** A seed: 64 bits, which some clients write with a sign and some without. */
final class Bits64 extends ValueDeserializer<Long> {
  @Override
  public Long deserialize(JsonParser in, DeserializationContext context) {
    JsonNode value = context.readTree(in);
    if (value.isNull()) {
      return null;
    }
    BigInteger number = value.isIntegralNumber() ? value.bigIntegerValue() : null;
    if (number == null || number.signum() < 0 && number.bitLength() > 63 || number.bitLength() > 64) {
      throw new WireException("the seed is " + value + ": give a whole number of 64 bits");
    }
    return number.longValue();
  }
}
