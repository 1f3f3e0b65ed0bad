#include "tests/service/server_process.hpp"

#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <stdexcept>

namespace musetalk::tests {

namespace {

constexpr auto patience = std::chrono::seconds{120};

std::vector<char*> pointers_to(std::vector<std::string>& texts) {
  auto result = std::vector<char*>{};
  for (auto& x : texts)
    result.push_back(x.data());
  result.push_back(nullptr);
  return result;
}

} // namespace

child_process::child_process(const std::filesystem::path& program,
                             const std::vector<std::string>& arguments, const environment& settings,
                             const std::filesystem::path& folder) {
  auto pipe = std::array<int, 2>{};
  if (::pipe2(pipe.data(), O_CLOEXEC) != 0)
    throw std::runtime_error{"no pipe"};
  // Everything that allocates comes before the fork.
  auto words = std::vector<std::string>{program.string()};
  words.insert(words.end(), arguments.begin(), arguments.end());
  auto variables = std::vector<std::string>{"PATH=/usr/local/bin:/usr/bin:/bin"};
  for (const auto& [key, value] : settings)
    variables.push_back(key + "=" + value);
  auto argv = pointers_to(words);
  auto envp = pointers_to(variables);
  auto parent = ::getpid();
  pid_ = ::fork();
  if (pid_ == 0) {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (::getppid() != parent || ::chdir(folder.c_str()) != 0)
      ::_exit(126);
    ::dup2(pipe[1], STDOUT_FILENO);
    ::dup2(pipe[1], STDERR_FILENO);
    ::execve(argv[0], argv.data(), envp.data());
    ::_exit(127);
  }
  ::close(pipe[1]);
  if (pid_ < 0)
    throw std::runtime_error{"no process"};
  reader_ = std::thread{[this, fd = pipe[0]] {
    read_output(fd);
  }};
}

child_process::~child_process() {
  if (!ended_) {
    signal(SIGKILL);
    wait();
  }
  reader_.join();
}

void child_process::read_output(int fd) {
  auto rest = std::string{};
  auto buffer = std::array<char, 4096>{};
  for (ssize_t count; (count = ::read(fd, buffer.data(), buffer.size())) > 0;) {
    rest.append(buffer.data(), static_cast<size_t>(count));
    auto lock = std::lock_guard{mutex_};
    for (size_t end; (end = rest.find('\n')) != std::string::npos; rest.erase(0, end + 1))
      lines_.push_back(rest.substr(0, end));
    changed_.notify_all();
  }
  ::close(fd);
  auto lock = std::lock_guard{mutex_};
  if (!rest.empty())
    lines_.push_back(rest);
  closed_ = true;
  changed_.notify_all();
}

std::string child_process::wait_for_line(const std::string& part) {
  auto lock = std::unique_lock{mutex_};
  auto found = lines_.end();
  auto look = [&] {
    found = std::find_if(lines_.begin(), lines_.end(),
                         [&](const auto& x) { return x.find(part) != std::string::npos; });
    return found != lines_.end() || closed_;
  };
  changed_.wait_for(lock, patience, look);
  if (found == lines_.end()) {
    auto all = std::string{};
    for (const auto& x : lines_)
      all += "  " + x + "\n";
    throw std::runtime_error{"no line with \"" + part + "\" in:\n" + all};
  }
  return *found;
}

bool child_process::has_line(const std::string& part) {
  auto lock = std::lock_guard{mutex_};
  return std::any_of(lines_.begin(), lines_.end(),
                     [&](const auto& x) { return x.find(part) != std::string::npos; });
}

void child_process::signal(int number) {
  // A process that was waited for has given its id away.
  if (!ended_)
    ::kill(pid_, number);
}

int child_process::wait() {
  while (!ended_)
    ended_ = ::waitpid(pid_, &status_, 0) == pid_;
  return WIFEXITED(status_) ? WEXITSTATUS(status_) : -WTERMSIG(status_);
}

bool child_process::running() {
  if (!ended_)
    ended_ = ::waitpid(pid_, &status_, WNOHANG) == pid_;
  return !ended_;
}

std::string child_process::output() {
  wait();
  auto lock = std::unique_lock{mutex_};
  changed_.wait_for(lock, patience, [&] { return closed_; });
  auto result = std::string{};
  for (const auto& x : lines_)
    result += x + "\n";
  return result;
}

server_process::server_process(const environment& settings, const std::filesystem::path& folder,
                               const std::string& name)
    : child_(program(name), {"--listen", "127.0.0.1:0"}, settings, folder) {
  auto line = child_.wait_for_line("listens at http://127.0.0.1:");
  auto colon = line.find(':', line.find("http://") + 7);
  port_ = static_cast<uint16_t>(std::stoi(line.substr(colon + 1)));
}

int server_process::stop() {
  child_.signal(SIGTERM);
  return child_.wait();
}

std::filesystem::path program(const std::string& name) {
  return std::filesystem::path{MUSETALK_BINARY_DIR} / "bin" / name;
}

} // namespace musetalk::tests
