// A small HTTP server on the loopback interface, which serves one file well or badly.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <limits>
#include <list>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "engine/core/descriptor.h"

namespace fovea::test {

inline constexpr std::uint64_t kNever = std::numeric_limits<std::uint64_t>::max();

/// How one request is answered.
struct HttpAnswer {
  int status = 200;                    ///< others than 200 have no body
  bool ranges = true;                  ///< otherwise the whole file, whatever was asked for
  bool says_length = true;             ///< otherwise the body ends with the connection
  bool says_range = true;              ///< otherwise a partial answer has no Content-Range
  std::uint64_t cut_after = kNever;    ///< bytes of body after which the connection is closed
  std::uint64_t stall_after = kNever;  ///< bytes of body after which nothing more is sent
  std::uint64_t bytes_a_second = 0;    ///< 0: as fast as it goes
  std::string location{};              ///< where a redirect (status 302) leads
};

/// A request and what became of it.
struct HttpRequest {
  std::string target;       ///< as in the request line
  bool has_range = false;   ///< whether it asked for a range
  std::uint64_t first = 0;  ///< the first byte that it asked for
  std::uint64_t sent = 0;   ///< bytes of body that were handed to the connection
};

/// Answers every GET with its content, whatever the target, one request a connection, on threads of
/// its own. Thread-safe.
class HttpServer {
 public:
  explicit HttpServer(std::string content);
  ~HttpServer();
  HttpServer(const HttpServer&) = delete;
  HttpServer& operator=(const HttpServer&) = delete;

  /// How the request of that number, from 0, is answered from now on.
  void answer(std::function<HttpAnswer(std::size_t number)> choose);

  /// Serves that from now on.
  void serve(std::string content);

  /// "http://127.0.0.1:PORT" and the path.
  [[nodiscard]] std::string url(const std::string& path) const;

  /// All requests so far, in the order in which they came.
  [[nodiscard]] std::vector<HttpRequest> requests() const;

 private:
  void accept_all();
  void converse(int socket);
  void send_body(int socket, std::size_t number, const std::string& body, const HttpAnswer& how);

  std::atomic<bool> stopping_ = false;
  mutable std::mutex mutex_;
  std::string content_;
  std::function<HttpAnswer(std::size_t)> choose_;
  std::vector<HttpRequest> requests_;
  std::list<std::thread> conversations_;
  Descriptor listener_;
  int port_ = 0;
  std::thread acceptor_;
};

}  // namespace fovea::test
