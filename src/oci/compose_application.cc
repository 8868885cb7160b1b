#include "oci/compose_application.h"

#include <fmt/format.h>

#include "base/text.h"
#include "oci/entry_name.h"
#include "sys/file_stream.h"

namespace windlass {
namespace {

constexpr std::string_view kArtifactTypes[] = {"application/vnd.docker.compose.project",
                                               "application/vnd.docker.compose.config.empty.v1+json"};
constexpr std::string_view kComposeFile = "application/vnd.docker.compose.file+yaml";
constexpr std::string_view kVariables = "application/vnd.docker.compose.envfile";
constexpr const char* kFileAnnotation = "com.docker.compose.file";
constexpr const char* kExtendsAnnotation = "com.docker.compose.extends";
constexpr const char* kVariablesAnnotation = "com.docker.compose.envfile";
constexpr std::string_view kJoinedName = "compose.yaml";
constexpr std::string_view kSeparator = "\n---\n";

// The files of several layers, one after the other, with a line between that begins a new YAML document.
class JoinedFiles final : public ByteStream {
 public:
  void add(const StoredLayer& layer) {
    if (!layers_.empty()) size_bytes_ += kSeparator.size();
    size_bytes_ += layer.size_bytes;
    layers_.push_back(&layer);
  }
  std::uint64_t size_bytes() const { return size_bytes_; }
  bool empty() const { return layers_.empty(); }

  Result<std::string_view> next() override {
    if (file_) {
      auto piece = file_->next();
      if (!piece || !piece->empty()) return piece;
      file_.reset();
    }
    if (opened_ == layers_.size()) return std::string_view();
    auto file = FileStream::open(layers_[opened_]->file);
    if (!file) return tl::unexpected(file.error());
    file_ = std::move(*file);
    return opened_++ == 0 ? next() : kSeparator;
  }

 private:
  std::vector<const StoredLayer*> layers_;
  std::size_t opened_ = 0;
  std::unique_ptr<FileStream> file_;
  std::uint64_t size_bytes_ = 0;
};

class ComposeFiles {
 public:
  ComposeFiles(StagedTree& tree, const UnpackLimits& limits, std::vector<std::string>& notes)
      : tree_(tree), limits_(limits), notes_(notes) {}

  Status take(const StoredLayer& layer) {
    if (layer.media_type == kVariables) return add_named(layer, kVariablesAnnotation);
    if (layer.media_type != kComposeFile) {
      notes_.push_back(fmt::format("a layer of type {} is left out", printable(layer.media_type, 128)));
      return {};
    }
    if (layer.annotations.contains(kExtendsAnnotation)) return add_named(layer, kFileAnnotation);
    joined_.add(layer);
    return {};
  }

  Status finish() {
    if (joined_.empty()) return fail(Kind::invalid, "compose application without a compose file");
    if (auto counted = tree_.count_entry(); !counted) return counted;
    return tree_.add_plain_file(std::string(kJoinedName), joined_.size_bytes(), joined_);
  }

 private:
  Status add_named(const StoredLayer& layer, const char* annotation) {
    const auto found = layer.annotations.find(annotation);
    if (found == layer.annotations.end())
      return fail(Kind::invalid, fmt::format("has no annotation {}, which names its file", annotation));
    auto added = add_file(layer, found->second);
    return added ? added
                 : while_doing(fmt::format("{} '{}'", annotation, printable(found->second, 256)), added.error());
  }

  Status add_file(const StoredLayer& layer, const std::string& name) {
    auto path = clean_entry_name(name, limits_);
    if (!path) return tl::unexpected(path.error());
    if (path->empty() || name.find('/') != name.npos) return fail(Kind::invalid, "is not the name of a file alone");
    if (*path == ".git") return fail(Kind::invalid, "is a name that git keeps for itself");
    if (*path == kJoinedName) return fail(Kind::invalid, "is the name of the joined compose file");
    if (auto counted = tree_.count_entry(); !counted) return counted;
    auto file = FileStream::open(layer.file);
    return file ? tree_.add_plain_file(*path, layer.size_bytes, **file) : tl::unexpected(file.error());
  }

  StagedTree& tree_;
  const UnpackLimits& limits_;
  std::vector<std::string>& notes_;
  JoinedFiles joined_;
};

}  // namespace

bool is_compose_application(const FetchedArtifact& artifact) {
  return artifact.artifact_type == kArtifactTypes[0] || artifact.artifact_type == kArtifactTypes[1];
}

Status unpack_compose_application(StagedTree& tree, const std::vector<StoredLayer>& layers, const UnpackLimits& limits,
                                  std::vector<std::string>& notes) {
  tree.begin_layer();
  ComposeFiles files(tree, limits, notes);
  for (std::size_t i = 0; i < layers.size(); ++i)
    if (auto taken = files.take(layers[i]); !taken)
      return while_doing(fmt::format("layer {} of {}", i + 1, layers.size()), taken.error());
  return files.finish();
}

}  // namespace windlass
