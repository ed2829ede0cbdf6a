#include "tests/support/http_server.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <stdexcept>
#include <string_view>
#include <utility>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>

namespace fovea::test {

namespace {

using std::chrono::milliseconds;

/// What was asked for; an empty target where the request is not understood.
HttpRequest parse_request(std::string_view text) {
  HttpRequest request;
  if (!text.starts_with("GET ")) return request;
  text.remove_prefix(4);
  request.target = text.substr(0, text.find(' '));
  constexpr std::string_view kRange = "\r\nRange: bytes=";
  if (const std::size_t at = text.find(kRange); at != std::string_view::npos) {
    request.has_range = true;
    request.first = std::stoull(std::string(text.substr(at + kRange.size(), 20)));
  }
  return request;
}

/// Waits until the socket is ready for `events`; false where it never will be.
bool wait_for(int socket, short events, const std::atomic<bool>& stopping) {
  while (!stopping) {
    pollfd ready{socket, events, 0};
    if (::poll(&ready, 1, 10) > 0) return (ready.revents & events) != 0;
  }
  return false;
}

std::string head(const HttpAnswer& how, const HttpRequest& request, std::size_t file_bytes) {
  const bool partial = how.status == 200 && how.ranges && request.has_range;
  std::string text = "HTTP/1.1 " + std::to_string(partial ? 206 : how.status) + " As told\r\n";
  if (!how.location.empty()) text += "Location: " + how.location + "\r\n";
  const std::size_t first = partial ? request.first : 0;
  if (partial && how.says_range) {
    text += "Content-Range: bytes " + std::to_string(first) + "-" + std::to_string(file_bytes - 1) +
            "/" + std::to_string(file_bytes) + "\r\n";
  }
  const std::size_t length = how.status == 200 ? file_bytes - first : 0;
  if (how.says_length) text += "Content-Length: " + std::to_string(length) + "\r\n";
  return text + "Connection: close\r\n\r\n";
}

}  // namespace

HttpServer::HttpServer(std::string content)
    : content_(std::move(content)),
      choose_([](std::size_t) { return HttpAnswer{}; }),
      listener_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  auto* generic = reinterpret_cast<sockaddr*>(&address);
  socklen_t size = sizeof address;
  if (::bind(listener_.get(), generic, size) != 0 || ::listen(listener_.get(), 64) != 0 ||
      ::getsockname(listener_.get(), generic, &size) != 0) {
    throw std::runtime_error("no server on the loopback interface");
  }
  port_ = ntohs(address.sin_port);
  acceptor_ = std::thread([this] { accept_all(); });
}

HttpServer::~HttpServer() {
  stopping_ = true;
  acceptor_.join();
  for (std::thread& conversation : conversations_) conversation.join();
}

void HttpServer::answer(std::function<HttpAnswer(std::size_t number)> choose) {
  const std::lock_guard lock(mutex_);
  choose_ = std::move(choose);
}

void HttpServer::serve(std::string content) {
  const std::lock_guard lock(mutex_);
  content_ = std::move(content);
}

std::string HttpServer::url(const std::string& path) const {
  return "http://127.0.0.1:" + std::to_string(port_) + path;
}

std::vector<HttpRequest> HttpServer::requests() const {
  const std::lock_guard lock(mutex_);
  return requests_;
}

void HttpServer::accept_all() {
  while (wait_for(listener_.get(), POLLIN, stopping_)) {
    const int socket = ::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC);
    if (socket < 0) continue;
    conversations_.emplace_back([this, socket] {
      const Descriptor owner(socket);
      converse(socket);
      ::shutdown(socket, SHUT_RDWR);
    });
  }
}

void HttpServer::converse(int socket) {
  std::string text;
  std::array<char, 4096> bytes{};
  while (text.find("\r\n\r\n") == std::string::npos) {
    if (!wait_for(socket, POLLIN, stopping_)) return;
    const ssize_t count = ::recv(socket, bytes.data(), bytes.size(), 0);
    if (count <= 0) return;
    text.append(bytes.data(), static_cast<std::size_t>(count));
  }
  std::unique_lock lock(mutex_);
  const HttpRequest request = parse_request(text);
  const std::size_t number = requests_.size();
  HttpAnswer how = choose_(number);
  const std::string content = content_;
  requests_.push_back(request);
  lock.unlock();

  const bool beyond =
      how.status == 200 && how.ranges && request.has_range && request.first >= content.size();
  if (beyond) how.status = 416;
  std::string reply = head(how, request, content.size());
  if (::send(socket, reply.data(), reply.size(), MSG_NOSIGNAL) < 0) return;
  if (how.status != 200) return;
  const std::size_t first = how.ranges && request.has_range ? request.first : 0;
  send_body(socket, number, content.substr(first), how);
}

void HttpServer::send_body(int socket,
                           std::size_t number,
                           const std::string& body,
                           const HttpAnswer& how) {
  constexpr std::size_t kSlices = 100;  // a second
  const std::size_t slice = how.bytes_a_second == 0
                                ? body.size()
                                : std::max<std::size_t>(how.bytes_a_second / kSlices, 1);
  const std::size_t end = std::min<std::uint64_t>({body.size(), how.cut_after, how.stall_after});
  for (std::size_t at = 0; at < end;) {
    if (!wait_for(socket, POLLOUT, stopping_)) return;
    const ssize_t count =
        ::send(socket, body.data() + at, std::min(slice, end - at), MSG_NOSIGNAL | MSG_DONTWAIT);
    if (count < 0) return;
    at += static_cast<std::size_t>(count);
    {
      const std::lock_guard lock(mutex_);
      requests_[number].sent = at;
    }
    if (how.bytes_a_second != 0) std::this_thread::sleep_for(milliseconds(1'000 / kSlices));
  }
  // The other side hangs up, or the test ends.
  if (how.stall_after <= how.cut_after && end < body.size()) {
    (void)wait_for(socket, POLLIN | POLLRDHUP, stopping_);
  }
}

}  // namespace fovea::test
