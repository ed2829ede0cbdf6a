// The error that a call ends in, for tests that check its code and message.
#pragma once

#include <optional>
#include <string>

#include <gtest/gtest.h>

#include <fovea/error.h>

namespace fovea::test {

/// The Error that `call()` throws; nothing where it returns. Other exceptions pass.
template <typename Call>
std::optional<Error> error_of(Call&& call) {
  try {
    call();
  } catch (const Error& error) {
    return error;
  }
  return std::nullopt;
}

/// Expects `call()` to throw an Error with that code and with `part` in its message.
template <typename Call>
void expect_error(ErrorCode code, const std::string& part, Call&& call) {
  const auto error = error_of(call);
  ASSERT_TRUE(error.has_value()) << "nothing was thrown; expected " << to_string(code);
  EXPECT_EQ(to_string(error->code()), to_string(code)) << error->what();
  EXPECT_NE(std::string(error->what()).find(part), std::string::npos)
      << "'" << part << "' is not in: " << error->what();
}

}  // namespace fovea::test
