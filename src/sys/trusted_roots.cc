#include "sys/trusted_roots.h"

#include <fmt/format.h>
#include <openssl/err.h>
#include <openssl/x509.h>

#include <algorithm>
#include <filesystem>
#include <set>
#include <string_view>

#include "base/text.h"
#include "sys/crypto.h"
#include "sys/files.h"

namespace windlass {
namespace {

namespace fs = std::filesystem;

constexpr std::uint64_t kBytesMax = 4 << 20;  // of all files; the roots of a browser are 220 KB

// "5ed36f99.0"
bool is_hashed_name(std::string_view name) {
  constexpr std::size_t kDigits = 8;
  return name.size() > kDigits + 1 && name[kDigits] == '.' && name.find_first_not_of("0123456789abcdef") == kDigits &&
         name.find_first_not_of("0123456789", kDigits + 1) == name.npos;
}

// The bytes of each certificate of a PEM file, "" for one that is damaged.
std::vector<std::string> certificates_in(std::string_view pem) {
  constexpr std::string_view kBegin = "-----BEGIN CERTIFICATE-----", kEnd = "-----END CERTIFICATE-----";
  std::vector<std::string> found;
  for (auto begin = pem.find(kBegin); begin != pem.npos; begin = pem.find(kBegin, begin)) {
    begin += kBegin.size();
    const auto end = pem.find(kEnd, begin);
    if (end == pem.npos) break;
    std::string text(pem.substr(begin, end - begin));
    std::erase_if(text, [](char c) { return c == '\n' || c == '\r' || c == ' ' || c == '\t'; });
    found.push_back(base64_decode(text).value_or(""));
    begin = end;
  }
  return found;
}

std::shared_ptr<x509_st> parsed(const std::string& der) {
  const auto* at = reinterpret_cast<const unsigned char*>(der.data());
  const auto* end = at + der.size();
  std::shared_ptr<x509_st> certificate(::d2i_X509(nullptr, &at, static_cast<long>(der.size())), ::X509_free);
  if (!certificate) ::ERR_clear_error();  // nobody after us is to find it
  return at == end ? certificate : nullptr;
}

class RootReader {
 public:
  explicit RootReader(TrustedRoots& roots) : roots_(roots) {}

  // The first `count` certificates of the file are found without us. If they are not, that is not for us to say.
  void know(const fs::path& file, std::size_t count) {
    const auto text = read(file);
    if (!text) return;
    auto found = certificates_in(*text);
    found.resize(std::min(count, found.size()));
    std::erase(found, "");  // one that is damaged is none that we know
    known_.insert(std::make_move_iterator(found.begin()), std::make_move_iterator(found.end()));
  }

  void take(const fs::path& file) {
    const auto text = read(file);
    if (!text && text.error().kind == Kind::invalid)
      return complain(fmt::format("{}: passed over, trusted roots are over {} bytes", file.string(), kBytesMax));
    if (!text) return complain(text.error().message);
    bool is_damaged = false;
    for (auto& der : certificates_in(*text)) {
      if (known_.contains(der)) continue;
      auto certificate = der.empty() ? nullptr : parsed(der);
      is_damaged = is_damaged || !certificate;
      if (!certificate) continue;
      roots_.more.push_back(std::move(certificate));
      known_.insert(std::move(der));
    }
    if (is_damaged) complain(fmt::format("{}: holds a certificate that cannot be read", file.string()));
  }

  void complain(std::string why) { roots_.complaints.push_back(std::move(why)); }

 private:
  Result<std::string> read(const fs::path& file) {
    auto text = read_file(file, bytes_left_);
    if (text) bytes_left_ -= text->size();
    return text;
  }

  TrustedRoots& roots_;
  std::uint64_t bytes_left_ = kBytesMax;
  std::set<std::string> known_;
};

// The files of a folder, by whether OpenSSL finds them.
struct RootFiles {
  std::vector<fs::path> hashed, others;

  std::error_code add(const fs::path& folder) {
    std::error_code error, unknown;
    for (fs::directory_iterator at(folder, error), end; !error && at != end; at.increment(error)) {
      if (!at->is_regular_file(unknown)) continue;
      (is_hashed_name(at->path().filename().string()) ? hashed : others).push_back(at->path());
    }
    return error;
  }

  void add_once(const fs::path& file) {
    std::error_code unknown;
    if (fs::exists(file, unknown) && std::find(others.begin(), others.end(), file) == others.end())
      others.push_back(file);
  }
};

}  // namespace

TrustedRoots find_trusted_roots(const RootPlaces& given, const RootPlaces& of_system) {
  TrustedRoots roots;
  RootReader reader(roots);
  RootFiles files;
  const auto& folders = given.folders.empty() ? of_system.folders : given.folders;
  for (const auto folder : split(folders, ':')) {
    if (folder.empty()) continue;
    const auto error = files.add(folder);
    if (error && !given.folders.empty())
      reader.complain(system_error(fmt::format("reading {}", folder), error.value()).message);
  }
  // libcurl parses a file for every handle, 6 MB of the system's; of a folder OpenSSL reads what it needs
  roots.for_libcurl = {.file = given.file, .folders = given.folders.empty() && files.hashed.empty() ? "" : folders};
  const bool is_default = roots.for_libcurl.file.empty() && roots.for_libcurl.folders.empty();
  if (given.file.empty() && !is_default) files.add_once(of_system.file);
  if (const auto& loaded = is_default ? of_system.file : given.file; !loaded.empty()) reader.know(loaded, loaded.npos);
  for (const auto& file : files.hashed) reader.know(file, 1);
  std::sort(files.others.begin(), files.others.end());
  for (const auto& file : files.others) reader.take(file);
  return roots;
}

}  // namespace windlass
