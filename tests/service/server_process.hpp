#pragma once

#include <sys/types.h>

#include <condition_variable>
#include <cstdint>
#include <filesystem>
#include <map>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace musetalk::tests {

using environment = std::map<std::string, std::string>;

/// A program that this test has started. Ends with its handle, and with the test.
class child_process {
public:
  /// @param settings The child's whole environment, `PATH` apart.
  /// @param folder Where it starts.
  child_process(const std::filesystem::path& program, const std::vector<std::string>& arguments,
                const environment& settings, const std::filesystem::path& folder);
  child_process(const child_process&) = delete;
  child_process& operator=(const child_process&) = delete;
  ~child_process();

  /// The first line of its output (standard output and error together) that has `part` in it;
  /// waits for it. @throws std::runtime_error when it ends or a minute passes without one.
  std::string wait_for_line(const std::string& part);

  /// Whether such a line came so far.
  bool has_line(const std::string& part);

  void signal(int number);

  /// Waits for its end. @returns the exit code, or minus the signal that ended it.
  int wait();

  bool running();

  pid_t id() const { return pid_; }

  /// Everything that it wrote until its end. Waits for that.
  std::string output();

private:
  void read_output(int fd);

  pid_t pid_ = -1;
  int status_ = 0;
  bool ended_ = false; ///< It was waited for.
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<std::string> lines_;
  bool closed_ = false; ///< Its output has ended.
  std::thread reader_;
};

/// `musetalkd` on a free port.
class server_process {
public:
  /// Returns when it listens. @throws std::runtime_error when it ends before.
  /// @param name Of the program.
  server_process(const environment& settings, const std::filesystem::path& folder,
                 const std::string& name = "musetalkd");

  uint16_t port() const { return port_; }
  std::string url() const { return "http://127.0.0.1:" + std::to_string(port_); }
  child_process& process() { return child_; }

  /// Asks it to stop and waits. @returns its exit code.
  int stop();

private:
  child_process child_;
  uint16_t port_ = 0;
};

/// Where the build has put a program.
std::filesystem::path program(const std::string& name);

} // namespace musetalk::tests
