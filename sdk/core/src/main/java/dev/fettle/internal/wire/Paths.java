package dev.fettle.internal.wire;

/** Paths below the base URL, headers and content types. */
public final class Paths {
  public static final String PREFIX = "api/v1/";
  public static final String HEALTH = PREFIX + "healthz";
  public static final String CAPABILITIES = PREFIX + "get_server_capabilities";
  public static final String CLIENT_CONFIG = PREFIX + "client/config";
  public static final String DYNAMIC_CONFIG = PREFIX + "client/dynamic_config";
  public static final String TOKEN = PREFIX + "auth/token";
  public static final String CREATE_SESSION = PREFIX + "create_session";
  public static final String HEARTBEAT = PREFIX + "session_heartbeat";
  public static final String CREATE_SAMPLING_SESSION = PREFIX + "create_sampling_session";
  public static final String CREATE_MODEL = PREFIX + "create_model";
  public static final String GET_INFO = PREFIX + "get_info";
  public static final String UNLOAD_MODEL = PREFIX + "unload_model";
  public static final String FORWARD_BACKWARD = PREFIX + "forward_backward";
  public static final String FORWARD = PREFIX + "forward";
  public static final String OPTIM_STEP = PREFIX + "optim_step";
  public static final String SAVE_WEIGHTS = PREFIX + "save_weights";
  public static final String LOAD_WEIGHTS = PREFIX + "load_weights";
  public static final String SAVE_FOR_SAMPLER = PREFIX + "save_weights_for_sampler";
  public static final String SAMPLE = PREFIX + "asample";
  public static final String RETRIEVE = PREFIX + "retrieve_future";
  public static final String FOLLOW = PREFIX + "retrieve_futures";
  public static final String CANCEL = PREFIX + "cancel_future";
  public static final String COPY_WEIGHTS = PREFIX + "copy_weights";
  public static final String TELEMETRY = PREFIX + "telemetry";
  public static final String WEIGHTS_INFO = PREFIX + "weights_info";
  public static final String TRAINING_RUNS = PREFIX + "training_runs";
  public static final String CHECKPOINTS = PREFIX + "checkpoints";
  public static final String SAMPLERS = PREFIX + "samplers";
  public static final String SESSIONS = PREFIX + "sessions";

  public static final String JSON = "application/json";
  public static final String PROTOBUF = "application/x-protobuf";

  public static final String API_KEY = "X-API-Key";
  public static final String IDEMPOTENCY_KEY = "X-Idempotency-Key";
  public static final String BACKPRESSURE = "X-Tinker-Sampling-Backpressure";
  public static final String REQUEST_ITERATION = "X-Tinker-Request-Iteration";
  public static final String REQUEST_TYPE = "X-Tinker-Request-Type";
  public static final String ROUNDTRIP_TIME = "X-Tinker-Create-Promise-Roundtrip-Time";

  /** What paths of checkpoints begin with. */
  public static final String TINKER = "tinker://";

  private Paths() {}
}
