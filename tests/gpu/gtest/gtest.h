// The part of GoogleTest's interface that tests of kernels use, for machines that lack the library:
// gpu_selftest compiles the same test files against it. What is not here does not compile.
//
// Not thread-safe: tests run one after the other, on one thread.
#pragma once

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <ostream>
#include <sstream>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

// NOLINTBEGIN(readability-identifier-naming, bugprone-macro-parentheses): GoogleTest's names
namespace testing {

/// Text that is built by <<.
class Message {
 public:
  template <typename T>
  Message& operator<<(const T& value) {
    std::ostringstream out;
    out << value;
    text_ += out.str();
    return *this;
  }

  Message& operator<<(const Message& other) {
    text_ += other.text_;
    return *this;
  }

  [[nodiscard]] const std::string& GetString() const { return text_; }

 private:
  std::string text_;
};

class Test {
 public:
  virtual ~Test() = default;

  virtual void SetUp() {}

  virtual void TearDown() {}

  virtual void TestBody() = 0;

  /// Of the test that runs.
  [[nodiscard]] static bool IsSkipped();
  [[nodiscard]] static bool HasFatalFailure();
};

template <typename T>
class TestWithParam : public Test {
 public:
  using ParamType = T;

  [[nodiscard]] static const T& GetParam() { return *parameter; }

  inline static const T* parameter = nullptr;  ///< of the test that runs
};

/// Of a test with parameters: what a namer gets.
template <typename T>
struct TestParamInfo {
  T param;
  std::size_t index = 0;
};

template <typename T>
std::vector<T> Range(T begin, T end) {
  std::vector<T> values;
  for (T value = begin; value < end; ++value) values.push_back(value);
  return values;
}

template <typename First, typename... More>
std::vector<First> Values(First first, More... more) {
  return {first, static_cast<First>(more)...};
}

template <typename Container>
auto ValuesIn(const Container& values) {
  return std::vector<std::decay_t<decltype(*std::begin(values))>>(std::begin(values),
                                                                  std::end(values));
}

namespace internal {

/// A test and how to make it.
struct Case {
  std::string name;  ///< "Suite.Test", "Prefix/Suite.Test/0"
  std::function<std::unique_ptr<Test>()> make;
};

/// All tests of the program; the first call makes the list.
std::vector<Case>& cases();

/// Makes a list of cases when it is asked for: instantiations may come before or behind the tests.
using Expansion = std::function<std::vector<Case>()>;
std::vector<Expansion>& expansions();

enum class Outcome : std::uint8_t { kFailed, kFatal, kSkipped };

/// Notes what became of the test that runs, once a message is assigned to it.
class Note {
 public:
  Note(Outcome outcome, const char* file, int line, std::string what)
      : outcome_(outcome), file_(file), line_(line), what_(std::move(what)) {}

  /// void, so that `return Note(...) = Message()` leaves a function without a result.
  void operator=(const Message& message) const;

 private:
  Outcome outcome_;
  const char* file_;
  int line_;
  std::string what_;
};

/// Text that failures name while it lives.
class Trace {
 public:
  explicit Trace(const Message& message);
  ~Trace();
  Trace(const Trace&) = delete;
  Trace& operator=(const Trace&) = delete;
};

template <typename T>
void print(std::ostream& out, const T& value) {
  if constexpr (requires { out << value; }) {
    if constexpr (std::is_floating_point_v<T>) out.precision(9);
    out << value;
  } else if constexpr (requires {
                         value.begin();
                         value.size();
                       }) {
    constexpr std::size_t kShown = 16;
    out << value.size() << " elements {";
    std::size_t i = 0;
    for (const auto& element : value) {
      if (i == kShown) {
        out << " ...";
        break;
      }
      out << (i++ == 0 ? " " : ", ");
      print(out, element);
    }
    out << " }";
  } else if constexpr (std::is_enum_v<T>) {
    out << static_cast<long long>(value);
  } else {
    out << sizeof(T) << "-byte object";
  }
}

/// "" where the comparison holds, else both sides.
template <typename A, typename B, typename Compare>
std::string compared(const A& a, const B& b, const char* text, Compare compare) {
  if (compare(a, b)) return {};
  std::ostringstream out;
  out << text << ": ";
  print(out, a);
  out << " and ";
  print(out, b);
  return out.str();
}

inline std::string near(double a, double b, double tolerance, const char* text) {
  if (std::abs(a - b) <= tolerance) return {};
  std::ostringstream out;
  out.precision(9);
  out << text << ": " << a << " and " << b << " are " << std::abs(a - b) << " apart";
  return out.str();
}

/// "" where `run` throws an Exception, else what it does.
template <typename Exception, typename Run>
std::string throws(const Run& run, const char* text) {
  try {
    run();
  } catch (const Exception&) {
    return {};
  } catch (...) {
    return std::string(text) + " throws something else";
  }
  return std::string(text) + " throws nothing";
}

inline std::string truth(bool value, const char* text) {
  return value ? std::string() : std::string(text);
}

template <typename Suite>
bool add_case(std::string name) {
  cases().push_back({std::move(name), [] { return std::make_unique<Suite>(); }});
  return true;
}

/// The tests of a suite with parameters.
template <typename Suite>
std::vector<Case>& pattern() {
  static std::vector<Case> tests;
  return tests;
}

template <typename Suite, typename T>
bool add_pattern(const char* name) {
  pattern<Suite>().push_back({name, [] { return std::make_unique<T>(); }});
  return true;
}

template <typename Suite, typename T, typename Namer>
bool instantiate(std::string prefix, std::vector<T> generated, Namer namer) {
  using P = typename Suite::ParamType;
  auto values = std::make_shared<std::vector<P>>(generated.begin(), generated.end());
  expansions().push_back([prefix = std::move(prefix), values, namer] {
    std::vector<Case> list;
    for (const Case& test : pattern<Suite>()) {
      for (std::size_t i = 0; i < values->size(); ++i) {
        const P& value = (*values)[i];
        list.push_back({prefix + "/" + test.name + "/" + namer(TestParamInfo<P>{value, i}),
                        [values, i, make = test.make] {
                          Suite::parameter = &(*values)[i];
                          return make();
                        }});
      }
    }
    return list;
  });
  return true;
}

template <typename Suite, typename T>
bool instantiate(std::string prefix, std::vector<T> generated) {
  return instantiate<Suite>(std::move(prefix), std::move(generated), [](const auto& info) {
    return std::to_string(info.index);
  });
}

}  // namespace internal

}  // namespace testing

#define FOVEA_TEST_CLASS(suite, name) suite##_##name##_Test
#define FOVEA_TEST(suite, name, base, ...)                                                       \
  class FOVEA_TEST_CLASS(suite, name) final : public base {                                      \
   public:                                                                                       \
    void TestBody() override;                                                                    \
  };                                                                                             \
  [[maybe_unused]] const bool suite##_##name##_is_registered = ::testing::internal::__VA_ARGS__; \
  void FOVEA_TEST_CLASS(suite, name)::TestBody()
#define FOVEA_ADD_CASE(suite, name) add_case<FOVEA_TEST_CLASS(suite, name)>(#suite "." #name)
#define TEST(suite, name) FOVEA_TEST(suite, name, ::testing::Test, FOVEA_ADD_CASE(suite, name))
#define TEST_F(suite, name) FOVEA_TEST(suite, name, suite, FOVEA_ADD_CASE(suite, name))
#define TEST_P(suite, name) \
  FOVEA_TEST(               \
      suite, name, suite, add_pattern<suite, FOVEA_TEST_CLASS(suite, name)>(#suite "." #name))
#define INSTANTIATE_TEST_SUITE_P(prefix, suite, ...)               \
  [[maybe_unused]] const bool prefix##_##suite##_is_instantiated = \
      ::testing::internal::instantiate<suite>(#prefix, __VA_ARGS__)

// `if ... else` without braces: a macro's user may stream into it and ends it with a semicolon.
#define FOVEA_NOTE(outcome, what)                                                              \
  ::testing::internal::Note(::testing::internal::Outcome::outcome, __FILE__, __LINE__, what) = \
      ::testing::Message()
#define FOVEA_CHECK(problem, leave, outcome)                              \
  if (const std::string fovea_problem = (problem); fovea_problem.empty()) \
    ;                                                                     \
  else                                                                    \
    leave FOVEA_NOTE(outcome, fovea_problem)
#define FOVEA_COMPARED(a, b, op, compare) \
  ::testing::internal::compared(a, b, #a " " #op " " #b, std::compare<>{})

#define EXPECT_EQ(a, b) FOVEA_CHECK(FOVEA_COMPARED(a, b, ==, equal_to), , kFailed)
#define EXPECT_NE(a, b) FOVEA_CHECK(FOVEA_COMPARED(a, b, !=, not_equal_to), , kFailed)
#define EXPECT_LT(a, b) FOVEA_CHECK(FOVEA_COMPARED(a, b, <, less), , kFailed)
#define EXPECT_LE(a, b) FOVEA_CHECK(FOVEA_COMPARED(a, b, <=, less_equal), , kFailed)
#define EXPECT_GT(a, b) FOVEA_CHECK(FOVEA_COMPARED(a, b, >, greater), , kFailed)
#define EXPECT_GE(a, b) FOVEA_CHECK(FOVEA_COMPARED(a, b, >=, greater_equal), , kFailed)
#define ASSERT_EQ(a, b) FOVEA_CHECK(FOVEA_COMPARED(a, b, ==, equal_to), return, kFatal)
#define ASSERT_NE(a, b) FOVEA_CHECK(FOVEA_COMPARED(a, b, !=, not_equal_to), return, kFatal)
#define ASSERT_LT(a, b) FOVEA_CHECK(FOVEA_COMPARED(a, b, <, less), return, kFatal)
#define ASSERT_LE(a, b) FOVEA_CHECK(FOVEA_COMPARED(a, b, <=, less_equal), return, kFatal)
#define ASSERT_GT(a, b) FOVEA_CHECK(FOVEA_COMPARED(a, b, >, greater), return, kFatal)
#define ASSERT_GE(a, b) FOVEA_CHECK(FOVEA_COMPARED(a, b, >=, greater_equal), return, kFatal)
#define EXPECT_TRUE(x) \
  FOVEA_CHECK(::testing::internal::truth(static_cast<bool>(x), #x " is false"), , kFailed)
#define EXPECT_FALSE(x) FOVEA_CHECK(::testing::internal::truth(!(x), #x " is true"), , kFailed)
#define ASSERT_TRUE(x) \
  FOVEA_CHECK(::testing::internal::truth(static_cast<bool>(x), #x " is false"), return, kFatal)
#define ASSERT_FALSE(x) FOVEA_CHECK(::testing::internal::truth(!(x), #x " is true"), return, kFatal)
#define EXPECT_NEAR(a, b, tolerance) \
  FOVEA_CHECK(::testing::internal::near(a, b, tolerance, #a " and " #b), , kFailed)
#define ASSERT_NEAR(a, b, tolerance) \
  FOVEA_CHECK(::testing::internal::near(a, b, tolerance, #a " and " #b), return, kFatal)
#define EXPECT_THROW(statement, exception) \
  FOVEA_CHECK(::testing::internal::throws<exception>([&] { statement; }, #statement), , kFailed)

#define SCOPED_TRACE(message) FOVEA_TRACE(message, __LINE__)
#define FOVEA_TRACE(message, line) FOVEA_TRACE_ON(message, line)
#define FOVEA_TRACE_ON(message, line) \
  const ::testing::internal::Trace fovea_trace_##line((::testing::Message() << (message)))
#define FAIL() return FOVEA_NOTE(kFatal, "failed")
#define ADD_FAILURE() FOVEA_NOTE(kFailed, "failed")
#define GTEST_SKIP() return FOVEA_NOTE(kSkipped, "")
// NOLINTEND(readability-identifier-naming, bugprone-macro-parentheses)
