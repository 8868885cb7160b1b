// A real registry on loopback, for the time of a test.
#pragma once

#include <arpa/inet.h>
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <memory>
#include <sstream>
#include <string>
#include <thread>

namespace windlass {

namespace fs = std::filesystem;

// Runs a shell script; what it prints.
inline std::string sh(const std::string& script) {
  std::unique_ptr<FILE, int (*)(FILE*)> pipe(::popen(("set -e; " + script).c_str(), "r"), ::pclose);
  std::string out;
  for (char buffer[4096]; const auto got = ::fread(buffer, 1, sizeof buffer, pipe.get());) out.append(buffer, got);
  EXPECT_EQ(::pclose(pipe.release()), 0) << script;
  while (out.ends_with('\n')) out.pop_back();
  return out;
}

inline void write_text(const fs::path& file, const std::string& text) {
  fs::create_directories(file.parent_path());
  std::ofstream(file, std::ios::binary) << text;
}

inline int free_port() {
  const int fd = ::socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address{.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
  socklen_t size = sizeof address;
  ::bind(fd, reinterpret_cast<sockaddr*>(&address), size);
  ::getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size);
  ::close(fd);
  return ntohs(address.sin_port);
}

inline bool is_listening(int port) {
  const int fd = ::socket(AF_INET, SOCK_STREAM, 0);
  const sockaddr_in address{
      .sin_family = AF_INET, .sin_port = htons(static_cast<std::uint16_t>(port)), .sin_addr = {htonl(INADDR_LOOPBACK)}};
  const bool connected = ::connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
  ::close(fd);
  return connected;
}

// A child process that listens on a port; ended with the object.
class Server {
 public:
  Server(const std::string& command, int port) {
    pid_ = ::fork();
    if (pid_ == 0) {
      ::execl("/bin/sh", "sh", "-c", ("exec " + command + " >/dev/null 2>&1").c_str(), nullptr);
      ::_exit(127);
    }
    for (int i = 0; i < 500 && !is_listening(port); ++i) std::this_thread::sleep_for(std::chrono::milliseconds(10));
    EXPECT_TRUE(is_listening(port)) << command;
  }
  Server(const Server&) = delete;
  ~Server() {
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
  }

 private:
  pid_t pid_;
};

// Folder, port and process of one docker-registry; `more` is added to its configuration.
class RegistryBed {
 public:
  RegistryBed() {
    std::string name = (fs::temp_directory_path() / "windlass-registry-XXXXXX").string();
    folder_ = ::mkdtemp(name.data());
  }
  ~RegistryBed() {
    server_.reset();
    token_server_.reset();
    fs::remove_all(folder_);
  }

  void start(const std::string& http = "", const std::string& more = "") {
    port_ = free_port();
    write_text(folder_ / "config.yml",
               fmt::format("version: 0.1\nlog: {{level: error}}\nstorage:\n  filesystem: {{rootdirectory: {}}}\n"
                           "  delete: {{enabled: true}}\nhttp:\n  addr: 127.0.0.1:{}\n{}{}",
                           (folder_ / "storage").string(), port_, http, more));
    server_ = std::make_unique<Server>("docker-registry serve " + (folder_ / "config.yml").string(), port_);
  }
  void stop() { server_.reset(); }
  void start_token_server(int port) {
    token_server_ =
        std::make_unique<Server>(fmt::format("python3 {}/tests/testbed/token_server.py {} {} user secret-pass",
                                             WINDLASS_SOURCE_DIR, folder_.string(), port),
                                 port);
  }

  const fs::path& folder() const { return folder_; }
  std::string host() const { return fmt::format("127.0.0.1:{}", port_); }
  // The file in which the registry keeps a blob.
  fs::path blob_file(const std::string& digest_hex) const {
    return folder_ / "storage/docker/registry/v2/blobs/sha256" / digest_hex.substr(0, 2) / digest_hex / "data";
  }

 private:
  fs::path folder_;
  int port_ = 0;
  std::unique_ptr<Server> server_, token_server_;
};

}  // namespace windlass
