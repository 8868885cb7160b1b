// Hashes the bytes of a blob as its digest asks for.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "model/digest.h"

namespace windlass {

class BlobHash {
 public:
  explicit BlobHash(const Digest& digest);
  ~BlobHash();

  void update(std::string_view bytes);
  // What all bytes so far hash to, by the algorithm of the digest; the object is used up.
  std::string finish();
  // The same compared with the digest.
  bool matches() { return finish() == digest_.str(); }

 private:
  struct Context;
  Digest digest_;
  std::unique_ptr<Context> context_;
};

bool matches(const Digest& digest, std::string_view bytes);

}  // namespace windlass
