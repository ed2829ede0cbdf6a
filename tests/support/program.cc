#include "tests/support/program.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <stdexcept>
#include <thread>
#include <utility>

#include <fcntl.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <spawn.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

namespace fovea::test {

namespace {

struct Pipe {
  Descriptor read;
  Descriptor write;
};

Pipe make_pipe() {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) throw std::runtime_error("pipe2 failed");
  return {Descriptor(ends[0]), Descriptor(ends[1])};
}

std::vector<char*> pointers(std::vector<std::string>& texts) {
  std::vector<char*> result;
  for (std::string& text : texts) result.push_back(text.data());
  result.push_back(nullptr);
  return result;
}

/// Our own environment with `changes` ("NAME=value") in it.
std::vector<std::string> environment_with(std::vector<std::string> changes) {
  const std::size_t count = changes.size();
  for (char** variable = environ; *variable != nullptr; ++variable) {
    const std::string_view text(*variable);
    const std::string_view name = text.substr(0, text.find('=') + 1);
    const bool changed = std::any_of(changes.begin(),
                                     changes.begin() + static_cast<std::ptrdiff_t>(count),
                                     [&](const std::string& c) { return c.starts_with(name); });
    if (!changed) changes.emplace_back(text);
  }
  return changes;
}

/// Appends what can be read now; closes the descriptor at the end.
void drain(Descriptor& descriptor, std::string& text) {
  std::array<char, 65536> bytes{};
  const ssize_t count = ::read(descriptor.get(), bytes.data(), bytes.size());
  if (count > 0) text.append(bytes.data(), static_cast<std::size_t>(count));
  if (count == 0) descriptor = Descriptor();
}

}  // namespace

Program::Program(const std::vector<std::string>& arguments, const ProgramOptions& options)
    : options_(options), deadline_(std::chrono::steady_clock::now() + options.limit) {
  // Writing to a process that has ended is an error that write() returns, not our end.
  ::signal(SIGPIPE, SIG_IGN);
  Pipe input = make_pipe();
  Pipe output = make_pipe();
  Pipe errors = make_pipe();
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  if (options.input_file.empty()) {
    posix_spawn_file_actions_adddup2(&actions, input.read.get(), STDIN_FILENO);
  } else {
    posix_spawn_file_actions_addopen(
        &actions, STDIN_FILENO, options.input_file.c_str(), O_RDONLY, 0);
  }
  if (options.output.empty()) {
    posix_spawn_file_actions_adddup2(&actions, output.write.get(), STDOUT_FILENO);
  } else {
    posix_spawn_file_actions_addopen(
        &actions, STDOUT_FILENO, options.output.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600);
  }
  posix_spawn_file_actions_adddup2(&actions, errors.write.get(), STDERR_FILENO);
  if (!options.folder.empty()) {
    posix_spawn_file_actions_addchdir_np(&actions, options.folder.c_str());
  }
  // The program starts as from a shell: with SIGPIPE and SIGINT as they are by default.
  posix_spawnattr_t attributes;
  posix_spawnattr_init(&attributes);
  sigset_t defaults;
  sigemptyset(&defaults);
  sigaddset(&defaults, SIGPIPE);
  sigaddset(&defaults, SIGINT);
  posix_spawnattr_setsigdefault(&attributes, &defaults);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGDEF);

  const std::string program = options.program.empty() ? FOVEA_PROGRAM : options.program.native();
  std::vector<std::string> words{program};
  if (!options.shell.empty()) words = {"/bin/sh", "-c", options.shell, "sh", program};
  words.insert(words.end(), arguments.begin(), arguments.end());
  std::vector<std::string> environment = environment_with(options.environment);
  const std::string started = words.front();
  const int error = ::posix_spawn(&process_,
                                  started.c_str(),
                                  &actions,
                                  &attributes,
                                  pointers(words).data(),
                                  pointers(environment).data());
  posix_spawnattr_destroy(&attributes);
  posix_spawn_file_actions_destroy(&actions);
  if (error != 0) throw std::runtime_error(std::string("cannot start fovea: ") + strerror(error));
  input_ = std::move(input.write);
  output_ = std::move(output.read);
  errors_ = std::move(errors.read);
  for (const Descriptor* end : {&input_, &output_, &errors_}) {
    ::fcntl(end->get(), F_SETFL, O_NONBLOCK);
  }
}

Program::~Program() {
  if (process_ < 0) return;
  ::kill(process_, SIGKILL);
  ::waitpid(process_, nullptr, 0);
}

void Program::write(std::string_view text) {
  options_.input = options_.input.value_or("") + std::string(text);
  while (!options_.input->empty()) {
    pollfd ready{input_.get(), POLLOUT, 0};
    ::poll(&ready, 1, -1);
    const ssize_t count = ::write(input_.get(), options_.input->data(), options_.input->size());
    if (count < 0) throw std::runtime_error("fovea reads no more");
    options_.input->erase(0, static_cast<std::size_t>(count));
  }
  options_.input.reset();
}

std::string Program::read_line() {
  pump(/*until_line=*/true);
  const std::size_t end = out_.find('\n');
  if (end == std::string::npos) return {};
  std::string line = out_.substr(0, end);
  out_.erase(0, end + 1);
  return line;
}

void Program::let_output_fill() const {
  int before = -1;
  for (int now = 0; now != before || now == 0;) {
    before = now;
    std::this_thread::sleep_for(std::chrono::milliseconds(300));
    ::ioctl(output_.get(), FIONREAD, &now);
    if (std::chrono::steady_clock::now() > deadline_) return;
  }
}

void Program::close_output() {
  output_ = Descriptor();
}

void Program::send(int signal) const {
  ::kill(process_, signal);
}

void Program::pump(bool until_line) {
  while (output_.valid() || errors_.valid()) {
    if (until_line && (out_.find('\n') != std::string::npos || !output_.valid())) return;
    if (options_.input && options_.input->empty()) input_ = Descriptor();
    const bool writing = options_.input && input_.valid();
    std::array<pollfd, 3> ready{pollfd{output_.get(), POLLIN, 0},
                                pollfd{errors_.get(), POLLIN, 0},
                                pollfd{writing ? input_.get() : -1, POLLOUT, 0}};
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(
        deadline_ - std::chrono::steady_clock::now());
    if (left.count() <= 0 ||
        ::poll(ready.data(), ready.size(), static_cast<int>(left.count())) == 0) {
      ADD_FAILURE() << "fovea did not end within " << options_.limit.count() << " s; killed";
      send(SIGKILL);
      return;
    }
    if (ready[0].revents != 0) drain(output_, out_);
    if (ready[1].revents != 0) drain(errors_, err_);
    if (ready[2].revents == 0) continue;
    const ssize_t count = ::write(input_.get(), options_.input->data(), options_.input->size());
    // A program that ends early leaves its input unread.
    if (count < 0 && errno == EPIPE) options_.input->clear();
    if (count > 0) options_.input->erase(0, static_cast<std::size_t>(count));
  }
}

ProgramResult Program::wait() {
  pump(/*until_line=*/false);
  int status = 0;
  rusage usage{};
  ::wait4(std::exchange(process_, -1), &status, 0, &usage);
  ProgramResult result;
  if (WIFEXITED(status)) result.code = WEXITSTATUS(status);
  if (WIFSIGNALED(status)) result.signal = WTERMSIG(status);
  result.out = std::move(out_);
  result.err = std::move(err_);
  result.peak_bytes = std::int64_t{usage.ru_maxrss} * 1024;
  return result;
}

ProgramResult run_program(const std::vector<std::string>& arguments,
                          const ProgramOptions& options) {
  return Program(arguments, options).wait();
}

std::vector<std::string> lines_of(std::string_view text) {
  std::vector<std::string> lines;
  while (!text.empty()) {
    const std::size_t end = text.find('\n');
    if (end == std::string_view::npos) {
      lines.push_back(std::string(text) + "<no newline>");
      break;
    }
    lines.emplace_back(text.substr(0, end));
    text.remove_prefix(end + 1);
  }
  return lines;
}

std::size_t widest_line(std::string_view text) {
  std::size_t widest = 0;
  for (const std::string& line : lines_of(text)) {
    const auto columns = std::count_if(line.begin(), line.end(), [](char c) {
      return (static_cast<unsigned char>(c) >> 6U) != 2;
    });
    widest = std::max(widest, static_cast<std::size_t>(columns));
  }
  return widest;
}

}  // namespace fovea::test
