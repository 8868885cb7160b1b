// References to artifacts: [registry "/"] repository [":" tag] ["@" digest] (oci 1, reliability 7).
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "model/digest.h"

namespace windlass {

class Reference {
 public:
  // Trims, strips a leading "oci://", fills in Docker Hub, "library/" and the tag "latest". Kind::invalid with the
  // reason alone, for example "tag '-rf' must begin with a letter, a digit or '_'".
  static Result<Reference> parse(std::string_view text);

  const std::string& registry() const { return registry_; }      // "ghcr.io", "index.docker.io", "reg.example:5000"
  const std::string& repository() const { return repository_; }  // "my/app"; the full name of webhook 6.3
  const std::string& tag() const { return tag_; }  // kept for display when there is a digest too; may be ""
  const std::optional<Digest>& digest() const { return digest_; }

  // What decides: the digest if there is one, else the tag. This is the run's ref.
  std::string identifier() const { return digest_ ? digest_->str() : tag_; }
  std::string source_id() const { return registry_ + "/" + repository_; }
  // "registry/repository:tag" or "registry/repository@digest".
  std::string str() const;
  // The live directory under the data mount: source_id with every ':' as '_' (oci 9).
  std::string live_path() const;
  Reference with_digest(const Digest& digest) const;

 private:
  Reference() = default;
  std::string registry_, repository_, tag_;
  std::optional<Digest> digest_;
};

}  // namespace windlass
