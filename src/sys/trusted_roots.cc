#include "sys/trusted_roots.h"

#include <fmt/format.h>
#include <openssl/err.h>
#include <openssl/x509.h>
#include <sys/stat.h>

#include <algorithm>
#include <filesystem>
#include <set>
#include <string_view>
#include <unordered_set>
#include <utility>

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

// Each certificate of a PEM file as it is written there, in base64 without white space: what is known already need not
// be decoded.
std::vector<std::string> certificates_in(std::string_view pem) {
  constexpr std::string_view kBegin = "-----BEGIN CERTIFICATE-----", kEnd = "-----END CERTIFICATE-----";
  std::vector<std::string> found;
  for (auto begin = pem.find(kBegin); begin != pem.npos; begin = pem.find(kBegin, begin)) {
    begin += kBegin.size();
    const auto end = pem.find(kEnd, begin);
    if (end == pem.npos) break;
    auto& text = found.emplace_back(pem.substr(begin, end - begin));
    std::erase_if(text, [](char c) { return c == '\n' || c == '\r' || c == ' ' || c == '\t'; });
    begin = end;
  }
  return found;
}

// Null for one that is damaged.
std::shared_ptr<x509_st> parsed(const std::string& base64) {
  const auto der = base64_decode(base64);
  if (!der) return nullptr;
  const auto* at = reinterpret_cast<const unsigned char*>(der->data());
  const auto* end = at + der->size();
  std::shared_ptr<x509_st> certificate(::d2i_X509(nullptr, &at, static_cast<long>(der->size())), ::X509_free);
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
    known_.insert(std::make_move_iterator(found.begin()), std::make_move_iterator(found.end()));
  }

  void take(const fs::path& file) {
    const auto text = read(file);
    if (!text && text.error().kind == Kind::invalid)
      return complain(fmt::format("{}: passed over, trusted roots are over {} bytes", file.string(), kBytesMax));
    if (!text) return complain(text.error().message);
    bool is_damaged = false;
    for (auto& base64 : certificates_in(*text)) {
      if (known_.contains(base64)) continue;
      auto certificate = parsed(base64);
      is_damaged = is_damaged || !certificate;
      if (!certificate) continue;
      roots_.more.push_back(std::move(certificate));
      known_.insert(std::move(base64));
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
  std::unordered_set<std::string> known_;
};

// The files of a folder, by whether OpenSSL finds them. A hashed name is mostly a link to a file beside it, which is no
// other one.
class RootFiles {
 public:
  std::vector<fs::path> hashed, others;

  std::error_code add(const fs::path& folder) {
    std::error_code error;
    std::vector<std::pair<fs::path, Identity>> found;
    std::set<Identity> found_by_openssl;
    for (fs::directory_iterator at(folder, error), end; !error && at != end; at.increment(error)) {
      struct stat status {};
      if (::stat(at->path().c_str(), &status) != 0 || !S_ISREG(status.st_mode)) continue;
      const Identity identity{status.st_dev, status.st_ino};
      if (!is_hashed_name(at->path().filename().string()))
        found.emplace_back(at->path(), identity);
      else if (found_by_openssl.insert(identity).second)
        hashed.push_back(at->path());
    }
    for (auto& [path, identity] : found)
      if (!found_by_openssl.contains(identity)) others.push_back(std::move(path));
    return error;
  }

  void add_once(const fs::path& file) {
    std::error_code unknown;
    if (fs::exists(file, unknown) && std::find(others.begin(), others.end(), file) == others.end())
      others.push_back(file);
  }

 private:
  using Identity = std::pair<dev_t, ino_t>;
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
  if (!files.others.empty())
    for (const auto& file : files.hashed) reader.know(file, 1);
  std::sort(files.others.begin(), files.others.end());
  for (const auto& file : files.others) reader.take(file);
  return roots;
}

}  // namespace windlass
