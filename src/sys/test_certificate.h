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
  // `key`: what `openssl req` is told of the key to make.
  explicit TestCertificate(const std::string& common_name,
                           const std::vector<std::string>& key = {"ec", "-pkeyopt", "ec_paramgen_curve:P-256"})
      : folder_(std::filesystem::temp_directory_path() / ("windlass-tls-" + new_uuid_v7())) {
    std::filesystem::create_directories(folder_);
    Command make{.program = "openssl",
                 .arguments = {"req", "-x509", "-nodes", "-days", "1", "-subj", "/CN=" + common_name, "-keyout",
                               key_file(), "-out", file(), "-newkey"},
                 .environment = {{"PATH", "/usr/bin:/bin"}}};
    make.arguments.insert(make.arguments.end(), key.begin(), key.end());
    const auto made = make_process_runner()->run(make, Deadline::in(std::chrono::seconds(30)));
    if (!made || made->code != 0) throw std::runtime_error(made ? made->err : made.error().message);
  }
  TestCertificate(const TestCertificate&) = delete;
  TestCertificate& operator=(const TestCertificate&) = delete;
  ~TestCertificate() { std::filesystem::remove_all(folder_); }

  std::string file() const { return folder_ / "cert.pem"; }
  std::string key_file() const { return folder_ / "key.pem"; }

 private:
  std::filesystem::path folder_;
};

}  // namespace windlass
