// A certificate for tests, signed by itself, in files that go with it.
#pragma once

#include <chrono>
#include <filesystem>
#include <stdexcept>
#include <string>
#include <vector>

#include "sys/crypto.h"
#include "sys/process.h"

namespace windlass {

class TestCertificate {
 public:
  // `key`: what `openssl req` is told of the key to make; `more`: and else, {"-addext", "subjectAltName=…"}.
  explicit TestCertificate(const std::string& common_name,
                           const std::vector<std::string>& key = {"ec", "-pkeyopt", "ec_paramgen_curve:P-256"},
                           const std::vector<std::string>& more = {})
      : folder_(std::filesystem::temp_directory_path() / ("windlass-tls-" + new_uuid_v7())) {
    std::filesystem::create_directories(folder_);
    std::vector<std::string> arguments{
        "req",     "-x509",    "-nodes", "-days", "1",      "-subj", "/CN=" + common_name,
        "-keyout", key_file(), "-out",   file(),  "-newkey"};
    arguments.insert(arguments.end(), key.begin(), key.end());
    arguments.insert(arguments.end(), more.begin(), more.end());
    openssl(std::move(arguments));
  }
  TestCertificate(const TestCertificate&) = delete;
  TestCertificate& operator=(const TestCertificate&) = delete;
  ~TestCertificate() { std::filesystem::remove_all(folder_); }

  std::string file() const { return folder_ / "cert.pem"; }
  std::string key_file() const { return folder_ / "key.pem"; }

  // The same certificate, but that it ended yesterday.
  void expire() {
    openssl({"x509", "-in", file(), "-signkey", key_file(), "-days", "-1", "-out", file() + ".new"});
    std::filesystem::rename(file() + ".new", file());
  }

 private:
  static void openssl(std::vector<std::string> arguments) {
    const Command command{
        .program = "openssl", .arguments = std::move(arguments), .environment = {{"PATH", "/usr/bin:/bin"}}};
    const auto ended = make_process_runner()->run(command, Deadline::in(std::chrono::seconds(30)));
    if (!ended || ended->code != 0) throw std::runtime_error(ended ? ended->err : ended.error().message);
  }

  std::filesystem::path folder_;
};

}  // namespace windlass
