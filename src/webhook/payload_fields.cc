#include "webhook/payload_fields.h"

#include <fmt/format.h>

#include <boost/json/basic_parser_impl.hpp>

namespace windlass {
namespace {

namespace json = boost::json;
using ErrorCode = boost::system::error_code;

// Takes the events of Boost.JSON's parser; false stops it.
struct FieldReader {
  static constexpr std::size_t max_object_size = static_cast<std::size_t>(-1);
  static constexpr std::size_t max_array_size = static_cast<std::size_t>(-1);
  static constexpr std::size_t max_key_size = static_cast<std::size_t>(-1);
  static constexpr std::size_t max_string_size = static_cast<std::size_t>(-1);

  PayloadFields fields;
  std::string fault;  // ours; the parser's own are in its error code

  bool on_document_begin(ErrorCode&) { return true; }
  bool on_document_end(ErrorCode&) { return true; }
  bool on_object_begin(ErrorCode& error) { return enter(true, error); }
  bool on_object_end(std::size_t, ErrorCode&) { return leave(); }
  bool on_array_begin(ErrorCode& error) { return enter(false, error); }
  bool on_array_end(std::size_t, ErrorCode&) { return leave(); }
  bool on_key_part(json::string_view part, std::size_t, ErrorCode&) { return add_to_key(part); }
  bool on_key(json::string_view part, std::size_t, ErrorCode& error) {
    add_to_key(part);
    return depth_ != 1 || choose_field(error);
  }
  bool on_string_part(json::string_view part, std::size_t, ErrorCode& error) { return take_text(part, error); }
  bool on_string(json::string_view part, std::size_t, ErrorCode& error) {
    if (!take_text(part, error)) return false;
    return end_value();
  }
  bool on_number_part(json::string_view, ErrorCode&) { return true; }
  bool on_int64(std::int64_t, json::string_view, ErrorCode& error) { return take_other(error); }
  bool on_uint64(std::uint64_t, json::string_view, ErrorCode& error) { return take_other(error); }
  bool on_double(double, json::string_view, ErrorCode& error) { return take_other(error); }
  bool on_bool(bool, ErrorCode& error) { return take_other(error); }
  bool on_null(ErrorCode& error) { return depth_ > 0 ? end_value() : refuse_top_level(error); }
  bool on_comment_part(json::string_view, ErrorCode&) { return true; }
  bool on_comment(json::string_view, ErrorCode&) { return true; }

 private:
  static constexpr std::size_t kKeyBytesMax = 16;  // longer than every known name

  bool stop(std::string reason, ErrorCode& error) {
    fault = std::move(reason);
    error = json::error::extra_data;  // any: only `fault` is looked at
    return false;
  }
  bool refuse_top_level(ErrorCode& error) { return stop("not an object", error); }

  bool enter(bool is_object, ErrorCode& error) {
    if (depth_ == 0 && !is_object) return refuse_top_level(error);
    if (depth_ == 1 && field_ != nullptr) field_->kind = PayloadField::Kind::not_text;
    ++depth_;
    key_.clear();
    return true;
  }
  bool leave() {
    --depth_;
    key_.clear();
    return depth_ != 1 || end_value();
  }

  bool add_to_key(json::string_view part) {
    if (depth_ == 1 && key_.size() <= kKeyBytesMax) key_.append(part.data(), std::min(part.size(), kKeyBytesMax + 1));
    return true;
  }
  bool choose_field(ErrorCode& error) {
    struct Known {
      std::string_view name;
      PayloadField* field;
      bool* seen;
    };
    const Known known[] = {{"source", &fields.source, &seen_[0]},
                           {"digest", &fields.digest, &seen_[1]},
                           {"artifact", &fields.artifact, &seen_[2]}};
    for (const auto& [name, field, seen] : known) {
      if (key_ != name) continue;
      if (*seen) return stop(fmt::format("duplicate field \"{}\"", name), error);
      *seen = true;
      field_ = field;
    }
    key_.clear();
    return true;
  }

  bool take_text(json::string_view part, ErrorCode& error) {
    if (depth_ == 0) return refuse_top_level(error);
    if (depth_ == 1 && field_ != nullptr) {
      field_->kind = PayloadField::Kind::text;
      field_->text.append(part.data(), part.size());
    }
    return true;
  }
  bool take_other(ErrorCode& error) {
    if (depth_ == 0) return refuse_top_level(error);
    if (depth_ == 1 && field_ != nullptr) field_->kind = PayloadField::Kind::not_text;
    return end_value();
  }
  bool end_value() {
    if (depth_ == 1) field_ = nullptr;
    return true;
  }

  int depth_ = 0;
  std::string key_;
  PayloadField* field_ = nullptr;  // that the present value of the top level belongs to; none: unknown field
  bool seen_[3] = {};
};

}  // namespace

Result<PayloadFields> read_payload_fields(std::string_view body) {
  json::parse_options options;
  options.max_depth = 128;  // reliability 2
  json::basic_parser<FieldReader> parser(options);
  ErrorCode error;
  const auto taken = parser.write_some(false, body.data(), body.size(), error);
  auto& reader = parser.handler();
  const auto refuse = [](std::size_t at, std::string_view reason) {
    return fail(Kind::invalid, fmt::format("invalid JSON at byte {}: {}", at, reason));
  };
  if (!reader.fault.empty()) return refuse(taken + 1, reader.fault);
  if (error) return refuse(taken + 1, error.message());
  if (const auto rest = body.substr(taken).find_first_not_of(" \t\r\n"); rest != body.npos)
    return refuse(taken + rest + 1, "text after the value");
  return std::move(reader.fields);
}

}  // namespace windlass
