#include "engine/api/tactic_settings.h"

#include "engine/core/env.h"
#include "engine/core/file.h"
#include "engine/core/require.h"

namespace fovea {

namespace {

constexpr FileLimit kLockLimit{.bytes = std::uint64_t{16} << 20U,
                               .code = ErrorCode::kArgumentInvalid};

/// A day.
constexpr double kMostTuningSeconds = 86'400;

ForcedTactics forced_tactics() {
  const auto text = env::get(env::kTactic);
  if (!text) return {};
  try {
    return parse_forced_tactics(*text);
  } catch (const InvalidArgument& error) {
    throw InvalidArgument(cat(env::kTactic.name, ": ", error.what()));
  }
}

}  // namespace

TacticOptions tactic_options(const CompileOptions& options) {
  if (!(options.tuning_seconds >= 0 && options.tuning_seconds <= kMostTuningSeconds)) {
    throw InvalidArgument(cat("tuning takes a number of seconds from 0 to ",
                              seconds_text(kMostTuningSeconds),
                              ", not ",
                              seconds_text(options.tuning_seconds)));
  }
  TacticOptions tactics;
  tactics.forced = forced_tactics();
  if (!options.lock.empty()) {
    tactics.locked = parse_locked_tactics(read_text_file(options.lock, kLockLimit), options.lock);
  }
  tactics.tuning = parse_tuning(options.tuning);
  if (tactics.tuning == Tuning::kOff && options.tuning_seconds > 0) {
    throw InvalidArgument(cat(seconds_text(options.tuning_seconds),
                              " s are given for tuning, which is off: --tuning fast or full takes "
                              "them"));
  }
  tactics.tuning_seconds = options.tuning_seconds;
  if (const auto home = cache_home()) tactics.timing_folder = *home / "timing";
  return tactics;
}

}  // namespace fovea
