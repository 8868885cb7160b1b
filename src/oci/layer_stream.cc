#include "oci/layer_stream.h"

#include <fmt/format.h>

#include "sys/tar_header.h"

namespace windlass {

namespace {

constexpr const char* kContentDigest = "io.deis.oras.content.digest";

// Nothing for an empty one: that is how ORAS itself says that there is nothing to check.
Result<std::optional<Digest>> content_digest_of(const StoredLayer& layer) {
  const auto found = layer.annotations.find(kContentDigest);
  if (found == layer.annotations.end() || found->second.empty()) return std::optional<Digest>();
  auto digest = Digest::parse(found->second);
  if (!digest) return while_doing(fmt::format("annotation {}", kContentDigest), digest.error());
  return std::optional(*std::move(digest));
}

Status in_time(const Deadline& deadline) {
  if (deadline.passed()) return fail(Kind::unavailable, "the time for pulling the artifact is over");
  return {};
}

// Looks at the clock while nothing comes out too: a layer may be a gigabyte of empty blocks, or of a member's name.
class InTime final : public ByteStream {
 public:
  InTime(ByteStream& source, const Deadline& deadline) : source_(source), deadline_(deadline) {}
  Result<std::string_view> next() override {
    if (auto early = in_time(deadline_); !early) return tl::unexpected(early.error());
    return source_.next();
  }

 private:
  ByteStream& source_;
  const Deadline& deadline_;
};

}  // namespace

LayerStream::LayerStream(const std::optional<Digest>& content, const UnpackLimits& limits, const Deadline& deadline,
                         std::unique_ptr<FileStream> file)
    : limits_(limits),
      deadline_(deadline),
      file_(std::move(file)),
      file_in_time_(std::make_unique<InTime>(*file_, deadline)),
      expected_digest_(content) {
  if (content) hash_.emplace(*content);
}

Result<std::unique_ptr<LayerStream>> LayerStream::open(const StoredLayer& layer, const UnpackLimits& limits,
                                                       const Deadline& deadline) {
  const auto content = content_digest_of(layer);
  if (!content) return tl::unexpected(content.error());
  auto file = FileStream::open(layer.file);
  if (!file) return tl::unexpected(file.error());
  auto compression = compression_of(**file);
  if (!compression) return tl::unexpected(compression.error());
  std::unique_ptr<LayerStream> stream(new LayerStream(*content, limits, deadline, std::move(*file)));
  stream->bytes_ = decompressed(*stream->file_in_time_, *compression);
  return stream;
}

Result<std::string_view> LayerStream::pull() {
  if (auto early = in_time(deadline_); !early) return tl::unexpected(early.error());
  auto piece = bytes_->next();
  if (!piece) return piece;
  bytes_out_ += piece->size();
  if (bytes_out_ > limits_.ratio_free_bytes && bytes_out_ / limits_.ratio_max > file_->bytes_read())
    return fail(Kind::invalid, fmt::format("expands to more than {} times its size", limits_.ratio_max));
  if (hash_) hash_->update(*piece);
  return piece;
}

Result<std::string_view> LayerStream::next() {
  if (!has_peeked_) return pull();
  has_peeked_ = false;
  if (!peeked_.empty()) return std::string_view(peeked_);
  return pull();
}

Result<std::string_view> LayerStream::peek() {
  while (peeked_.size() < kTarBlockBytes) {
    auto piece = pull();
    if (!piece) return piece;
    if (piece->empty()) break;
    peeked_ += *piece;
  }
  has_peeked_ = true;
  return std::string_view(peeked_).substr(0, kTarBlockBytes);
}

Status LayerStream::check_content_digest() {
  if (!hash_) return {};
  const auto digest = hash_->finish();
  if (digest == expected_digest_->str()) return {};
  return fail(Kind::invalid, fmt::format("content has digest {}, annotation {} says {}", digest, kContentDigest,
                                         expected_digest_->str()));
}

}  // namespace windlass
