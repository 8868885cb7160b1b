// The bytes of one layer, decompressed, under the budgets that a bomb would break (oci 8).
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "base/deadline.h"
#include "oci/artifact.h"
#include "oci/blob_hash.h"
#include "oci/unpack.h"
#include "sys/byte_stream.h"
#include "sys/file_stream.h"

namespace windlass {

class LayerStream final : public ByteStream {
 public:
  static Result<std::unique_ptr<LayerStream>> open(const StoredLayer& layer, const UnpackLimits& limits,
                                                   const Deadline& deadline);

  // Errors: what the decompressor says, an expansion above the ratio, the deadline.
  Result<std::string_view> next() override;
  // The first block, or all there is; it comes again from next().
  Result<std::string_view> peek();
  // At the end: the bytes have the digest that ORAS wrote beside a packed folder (oci 4). Good if there is none; one
  // that cannot be read fails open().
  Status check_content_digest();

 private:
  LayerStream(const std::optional<Digest>& content, const UnpackLimits& limits, const Deadline& deadline,
              std::unique_ptr<FileStream> file);
  Result<std::string_view> pull();

  const UnpackLimits& limits_;
  const Deadline& deadline_;
  std::unique_ptr<FileStream> file_;
  std::unique_ptr<ByteStream> file_in_time_;
  std::unique_ptr<ByteStream> bytes_;
  std::string peeked_;
  bool has_peeked_ = false;
  std::uint64_t bytes_out_ = 0;
  std::optional<Digest> expected_digest_;
  std::optional<BlobHash> hash_;
};

}  // namespace windlass
