// The error that a call ends in, for tests that check its code and message.
#pragma once

#include <string>

#include <gtest/gtest.h>

#include <fovea/error.h>

namespace fovea::test {

/// "area/what: message" of the Error that `call()` throws; empty where it returns. Other exceptions
/// pass.
template <typename Call>
std::string error_of(Call&& call) {
  try {
    call();
  } catch (const Error& error) {
    return std::string(to_string(error.code())) + ": " + error.what();
  }
  return {};
}

/// Expects `call()` to throw an Error with that code and with `part` in its message.
template <typename Call>
void expect_error(ErrorCode code, const std::string& part, Call&& call) {
  const std::string error = error_of(call);
  EXPECT_EQ(error.substr(0, error.find(':')), to_string(code)) << error;
  EXPECT_NE(error.find(part), std::string::npos) << "'" << part << "' is not in: " << error;
}

}  // namespace fovea::test
