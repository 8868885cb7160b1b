// One or two layers, raw, gzip or zstd, unpacked under small limits (oci 4 and 8, reliability 5).
//
// Afterwards nothing may stand outside of the folder, and what was accepted must be on disk as the tree says. Layers
// are divided by the line "--next layer--".
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <set>

#include "base/text.h"
#include "fuzz/fuzz.h"
#include "fuzz/tar_mutation.h"
#include "oci/entry_name.h"
#include "oci/unpack.h"
#include "sys/content_hash.h"
#include "sys/crypto.h"
#include "sys/files.h"

namespace windlass {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kDivider = "\n--next layer--\n";
const Secret kContentKey("key");
constexpr UnpackLimits kLimits{.bytes_max = 64 << 10,
                               .entries_max = 64,
                               .file_bytes_max = 16 << 10,
                               .compressed_bytes_max = 64 << 10,
                               .layers_max = 3,
                               .ratio_max = 50,
                               .ratio_free_bytes = 128 << 10,
                               .header_bytes_max = 4096};

// A folder with a canary and the layers in it; the tree goes two folders deeper, so that "../canary" would be found.
class Workplace {
 public:
  Workplace() {
    auto name = (fs::temp_directory_path() / "windlass-fuzz-XXXXXX").string();
    require(::mkdtemp(name.data()) != nullptr, "a temporary folder can be made");
    folder_ = name;
    fs::create_directory(folder_ / "staging");
    put(folder_ / "canary", "untouched");
    put(folder_ / "staging" / "canary", "untouched");
  }
  ~Workplace() { fs::remove_all(folder_); }

  fs::path root() const { return folder_ / "staging" / "tree"; }
  StoredLayer layer(std::string_view bytes, std::size_t number) const {
    const auto file = folder_ / ("layer" + std::to_string(number));
    put(file, bytes);
    return {.digest = Digest::of_sha256_hex(sha256_hex(bytes)),
            .media_type = "application/vnd.oci.image.layer.v1.tar",
            .size_bytes = bytes.size(),
            .annotations = {{"org.opencontainers.image.title", "plain"}},
            .file = file};
  }
  void check_outside() const {
    for (const auto& canary : {folder_ / "canary", folder_ / "staging" / "canary"}) {
      const auto content = read_file(canary, 100);
      require(content && *content == "untouched", "the canary is untouched");
    }
    for (const auto& entry : fs::directory_iterator(folder_)) {
      const auto name = entry.path().filename().string();
      require(name == "canary" || name == "staging" || name.starts_with("layer"), "nothing new stands outside");
    }
    for (const auto& entry : fs::directory_iterator(folder_ / "staging"))
      require(entry.path().filename() == "canary" || entry.path().filename() == "tree", "nothing new stands beside");
  }

 private:
  static void put(const fs::path& file, std::string_view bytes) {
    const FileDescriptor fd(::open(file.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0640));
    require(::write(fd.get(), bytes.data(), bytes.size()) == static_cast<ssize_t>(bytes.size()),
            "files can be written");
  }
  fs::path folder_;
};

void check_entry(const fs::path& root, const TreeEntry& entry) {
  const auto clean = clean_entry_name(entry.path, kLimits);
  require(clean && *clean == entry.path, "an entry has a clean name");
  struct stat status {};
  require(::lstat((root / entry.path).c_str(), &status) == 0, "an entry of the tree is on disk");
  if (entry.type == EntryType::link) {
    require(S_ISLNK(status.st_mode) && fs::read_symlink(root / entry.path) == entry.content, "a link is as told");
    std::error_code nowhere;
    const auto target = fs::canonical(root / entry.path, nowhere);
    require(nowhere || (target.string() + "/").starts_with(root.string() + "/"), "no link leads out");
    return;
  }
  require((status.st_mode & 07777) == entry.mode, "the mode is as told");
  require((entry.mode & 07000) == 0 && (entry.mode & 0600) == 0600, "no set-id bits; the owner reads and writes");
  if (entry.type == EntryType::folder) return require(S_ISDIR(status.st_mode), "a folder is a folder");
  require(S_ISREG(status.st_mode) && status.st_nlink == 1, "a file is a file of its own");
  require(static_cast<std::uint64_t>(status.st_size) == entry.size_bytes && entry.size_bytes <= kLimits.file_bytes_max,
          "its size is as told, within the limit");
  const auto content = read_file(root / entry.path, kLimits.file_bytes_max);
  require(content && content_hash_hex(kContentKey, *content) == entry.content, "its hash is as told");
}

void check_tree(const UnpackedTree& tree) {
  require(std::is_sorted(tree.entries.begin(), tree.entries.end(),
                         [](const auto& a, const auto& b) { return a.path < b.path; }),
          "the tree is sorted");
  require(tree.entries.size() <= kLimits.entries_max, "the tree is within the limit");
  std::set<std::string> told;
  std::uint64_t bytes = 0;
  for (const auto& entry : tree.entries) {
    require(told.insert(entry.path).second, "an entry is told once");
    check_entry(tree.root, entry);
    bytes += entry.size_bytes;
  }
  require(bytes <= kLimits.bytes_max, "the bytes are within the limit");
  for (const auto& found : fs::recursive_directory_iterator(tree.root))
    require(told.contains(found.path().lexically_relative(tree.root).string()), "what is on disk is in the tree");
}

}  // namespace

void fuzz(std::string_view input) {
  static const Workplace workplace;
  std::vector<StoredLayer> layers;
  for (bool more = true; more && layers.size() <= kLimits.layers_max;) {
    const auto end = input.find(kDivider);
    more = end != input.npos;
    layers.push_back(workplace.layer(input.substr(0, end), layers.size()));
    input.remove_prefix(more ? end + kDivider.size() : input.size());
  }
  const auto deadline = Deadline::in(std::chrono::seconds(60));
  const auto tree = unpack(layers, workplace.root(), kLimits, kContentKey, deadline);
  workplace.check_outside();
  if (tree) {
    check_tree(*tree);
    require(remove_tree(workplace.root()).has_value(), "what was unpacked can be removed");
    return;
  }
  require(tree.error().kind == Kind::invalid, "a hostile archive is invalid, no fault of the machine");
  require_printable(tree.error().message);
  require(!fs::exists(workplace.root()), "a refused artifact leaves nothing");
}

}  // namespace windlass

extern "C" std::size_t LLVMFuzzerCustomMutator(std::uint8_t* data, std::size_t size, std::size_t size_max,
                                               unsigned seed) {
  return windlass::mutate_archive(data, size, size_max, seed);
}
