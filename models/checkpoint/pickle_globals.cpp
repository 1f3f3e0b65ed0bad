#include "models/checkpoint/pickle_globals.hpp"

#include "errors/error.hpp"

#include <algorithm>
#include <cstring>

namespace musetalk::models {

namespace {

constexpr size_t max_dimensions = 16;
constexpr size_t max_arguments = 64;
constexpr size_t max_copied_items = size_t{1} << 20;
constexpr int64_t max_expanded_elements = int64_t{1} << 20;

constexpr std::string_view forbidden_modules[] = {
    "os",        "posix",     "nt",       "subprocess", "sys",      "shutil",
    "socket",    "importlib", "runpy",    "ctypes",     "pty",      "code",
    "pickle",    "_pickle",   "commands", "webbrowser", "platform", "multiprocessing",
    "threading", "asyncio",   "signal",   "timeit",     "pdb",      "bdb",
};

constexpr std::string_view allowed_builtins[] = {
    "set",    "frozenset", "list", "dict",  "tuple", "bytearray", "complex", "slice",
    "object", "getattr",   "int",  "float", "str",   "bool",      "range",
};

/// Calls whose result is not needed. mmengine's logs and numpy arrays beside the weights use them.
constexpr std::string_view skipped_calls[] = {
    "numpy.core.multiarray._reconstruct",
    "numpy._core.multiarray._reconstruct",
    "numpy.core.numeric._frombuffer",
    "numpy._core.numeric._frombuffer",
    "_codecs.encode",
    "builtins.getattr",
    "__builtin__.getattr",
    "builtins.set",
    "__builtin__.set",
    "builtins.frozenset",
    "__builtin__.frozenset",
    "builtins.bytearray",
    "__builtin__.bytearray",
    "collections.defaultdict",
    "collections.deque",
    "collections.Counter",
    "copyreg._reconstructor",
    "copy_reg._reconstructor",
    "datetime.datetime",
    "datetime.timedelta",
    "datetime.date",
    "pathlib.PosixPath",
    "pathlib.Path",
    "pathlib.PurePosixPath",
    "torch.device",
    "torch.Generator",
};

struct storage_name {
  std::string_view name;
  element type;
};

constexpr storage_name storage_names[] = {
    {"FloatStorage", element::float32},     {"HalfStorage", element::float16},
    {"BFloat16Storage", element::bfloat16}, {"DoubleStorage", element::float64},
    {"LongStorage", element::int64},        {"IntStorage", element::int32},
    {"ShortStorage", element::int16},       {"CharStorage", element::int8},
    {"ByteStorage", element::uint8},        {"BoolStorage", element::boolean},
};

[[noreturn]] void refuse(const std::string& why) {
  throw error{errc::models_invalid, "damaged or foreign pickle: " + why};
}

bool contains(std::span<const std::string_view> list, std::string_view x) {
  return std::find(list.begin(), list.end(), x) != list.end();
}

int64_t integer(const pickle_value& x) {
  if (x.kind != pickle_kind::integer)
    refuse("a whole number of 64 bits was expected");
  return x.integer;
}

std::vector<int64_t> integers(const pickle& p, const pickle_value& x) {
  if (x.kind != pickle_kind::tuple && x.kind != pickle_kind::list)
    refuse("a shape was expected");
  auto out = std::vector<int64_t>{};
  if (p.items(x).size() > max_dimensions)
    refuse("a tensor of more than " + std::to_string(max_dimensions) + " dimensions");
  for (auto id : p.items(x))
    out.push_back(integer(p[id]));
  return out;
}

pickle_id add(pickle& p, pickle_value x) {
  p.values.push_back(x);
  return static_cast<pickle_id>(p.values.size() - 1);
}

/// `_rebuild_tensor_v2(storage, offset, shape, strides, ...)`; the rest (gradient, hooks) is of no
/// interest.
pickle_id rebuild_tensor(pickle& p, const std::vector<pickle_id>& arguments) {
  if (arguments.size() < 4)
    refuse("a tensor with too few arguments");
  const auto& storage = p[arguments[0]];
  if (storage.kind != pickle_kind::storage)
    refuse("a tensor without a storage");
  auto t = pickle_tensor{storage.index, integer(p[arguments[1]]), integers(p, p[arguments[2]]),
                         integers(p, p[arguments[3]])};
  if (t.shape.size() != t.strides.size())
    refuse("a tensor whose shape and strides differ in length");
  // The last element that it touches has to lie in its storage.
  auto count = element_count(t.shape);
  __int128 last = t.offset;
  for (size_t i = 0; i < t.shape.size(); ++i) {
    if (t.strides[i] < 0)
      refuse("a tensor with a negative stride");
    last += static_cast<__int128>(t.shape[i] - 1) * t.strides[i];
  }
  const auto& s = p.storages[storage.index];
  if (t.offset < 0 || (count > 0 && last >= s.view_elements))
    refuse("a tensor of shape " + to_string(t.shape) + " leaves its storage of " +
           std::to_string(s.view_elements) + " values");
  // A stride of 0 repeats values; without a limit a small file could ask for any amount of memory.
  if (count > std::max(s.view_elements, max_expanded_elements))
    refuse("a tensor of shape " + to_string(t.shape) + " over a storage of " +
           std::to_string(s.view_elements) + " values");
  t.offset = count > 0 ? t.offset + s.view_offset : 0;
  p.tensors.push_back(std::move(t));
  auto x = pickle_value{pickle_kind::tensor};
  x.index = static_cast<uint32_t>(p.tensors.size() - 1);
  return add(p, x);
}

/// `scalar(dtype, bytes)`: int32, int64 or float64.
pickle_id numpy_scalar(pickle& p, const std::vector<pickle_id>& arguments) {
  if (arguments.size() != 2 || p[arguments[0]].kind != pickle_kind::dtype)
    refuse("a numpy scalar without a type");
  auto type = p[arguments[0]].text;
  const auto& raw = p[arguments[1]];
  // Protocol 2 writes its bytes as a call of _codecs.encode: no avatar file is written so.
  if (raw.kind == pickle_kind::opaque)
    return add(p, {pickle_kind::opaque});
  auto x = pickle_value{pickle_kind::integer};
  if (raw.kind != pickle_kind::bytes)
    refuse("a numpy scalar without bytes");
  if (type == "i4" && raw.text.size() == 4) {
    auto i = int32_t{};
    std::memcpy(&i, raw.text.data(), sizeof i);
    x.integer = i;
  } else if (type == "i8" && raw.text.size() == 8) {
    std::memcpy(&x.integer, raw.text.data(), sizeof x.integer);
  } else if (type == "f8" && raw.text.size() == 8) {
    x.kind = pickle_kind::real;
    std::memcpy(&x.real, raw.text.data(), sizeof x.real);
  } else {
    x.kind = pickle_kind::opaque;
  }
  return add(p, x);
}

pickle_id numpy_dtype(pickle& p, const std::vector<pickle_id>& arguments) {
  auto x = pickle_value{pickle_kind::dtype};
  if (!arguments.empty() && p[arguments[0]].kind == pickle_kind::text)
    x.text = p[arguments[0]].text;
  if (x.text.starts_with('<'))
    x.text.remove_prefix(1);
  if (x.text.starts_with('>'))
    refuse("big-endian numbers");
  return add(p, x);
}

} // namespace

bool is_forbidden(std::string_view module, std::string_view name) noexcept {
  if (module == "builtins" || module == "__builtin__")
    return !contains(allowed_builtins, name);
  return contains(forbidden_modules, module.substr(0, module.find('.')));
}

std::string printable(std::string_view name) {
  auto text = std::string{name.substr(0, 80)};
  std::replace_if(
      text.begin(), text.end(), [](unsigned char c) { return c < 0x20 || c > 0x7E; }, '?');
  return text;
}

pickle_id call_global(pickle& p, std::string_view name, const std::vector<pickle_id>& arguments) {
  // A copy, since makers add to the lists of `p`, where `arguments` may live. Bounded: one argument
  // tuple may be fetched from the memo for every call of a hostile file.
  if (arguments.size() > max_arguments)
    refuse("a call with " + std::to_string(arguments.size()) + " arguments");
  auto a = arguments;
  if (name == "torch._utils._rebuild_tensor_v2" || name == "torch._utils._rebuild_tensor")
    return rebuild_tensor(p, a);
  if (name == "torch._utils._rebuild_parameter" ||
      name == "torch._utils._rebuild_parameter_with_state" ||
      name == "torch.nn.parameter.Parameter") {
    if (a.empty() || p[a[0]].kind != pickle_kind::tensor)
      refuse("a parameter without a tensor");
    return a[0];
  }
  if (name == "collections.OrderedDict") {
    p.lists.emplace_back();
    auto x = pickle_value{pickle_kind::dict};
    x.index = static_cast<uint32_t>(p.lists.size() - 1);
    // Python 2 wrote the entries as an argument: a list of pairs.
    if (!a.empty()) {
      const auto& pairs = p[a[0]];
      if (pairs.kind != pickle_kind::list && pairs.kind != pickle_kind::tuple)
        refuse("an OrderedDict that is made of something else than pairs");
      p.copied_items += p.items(pairs).size();
      if (p.copied_items > max_copied_items)
        refuse("too many entries");
      for (auto id : p.items(pairs)) {
        const auto& pair = p[id];
        if ((pair.kind != pickle_kind::list && pair.kind != pickle_kind::tuple) ||
            p.items(pair).size() != 2)
          refuse("an OrderedDict that is made of something else than pairs");
        auto key = p.items(pair)[0], value = p.items(pair)[1];
        p.lists[x.index].push_back(key);
        p.lists[x.index].push_back(value);
      }
    }
    return add(p, x);
  }
  if (name == "torch.Size" && a.size() == 1)
    return a[0];
  if (name == "numpy.core.multiarray.scalar" || name == "numpy._core.multiarray.scalar")
    return numpy_scalar(p, a);
  if (name == "numpy.dtype")
    return numpy_dtype(p, a);
  if (contains(skipped_calls, name))
    return add(p, {pickle_kind::opaque});
  refuse("it calls " + printable(name) + ", which is not allowed");
}

pickle_id storage_of(pickle& p, const pickle_value& id) {
  if (id.kind != pickle_kind::tuple || p.items(id).size() < 5 || p.items(id).size() > 6)
    refuse("a persistent id that is no storage");
  const auto& a = p.items(id);
  const auto& tag = p[a[0]];
  const auto& type = p[a[1]];
  const auto& key = p[a[2]];
  const auto& location = p[a[3]];
  if (tag.kind != pickle_kind::text || tag.text != "storage" || type.kind != pickle_kind::global ||
      key.kind != pickle_kind::text || location.kind != pickle_kind::text)
    refuse("a persistent id that is no storage");
  auto s = pickle_storage{};
  auto* known =
      std::find_if(std::begin(storage_names), std::end(storage_names), [&](const auto& x) {
        return type.text.starts_with("torch.") && type.text.substr(6) == x.name;
      });
  if (known == std::end(storage_names))
    refuse("the unknown storage type " + printable(type.text));
  s.type = known->type;
  s.key = key.text;
  s.location = location.text;
  s.elements = integer(p[a[4]]);
  if (s.elements < 0)
    refuse("a storage of negative size");
  s.view_elements = s.elements;
  if (a.size() == 6 && p[a[5]].kind != pickle_kind::none) {
    const auto& view = p[a[5]];
    if (view.kind != pickle_kind::tuple || p.items(view).size() != 3)
      refuse("a damaged storage view");
    s.view_offset = integer(p[p.items(view)[1]]);
    s.view_elements = integer(p[p.items(view)[2]]);
    if (s.view_offset < 0 || s.view_elements < 0 || s.view_offset > s.elements ||
        s.view_elements > s.elements - s.view_offset)
      refuse("a storage view that leaves its storage");
  }
  p.storages.push_back(s);
  auto x = pickle_value{pickle_kind::storage};
  x.index = static_cast<uint32_t>(p.storages.size() - 1);
  return add(p, x);
}

void check_dtype_state(const pickle& p, const pickle_value& state) {
  if (state.kind != pickle_kind::tuple || p.items(state).size() < 2)
    refuse("a damaged numpy dtype");
  const auto& order = p[p.items(state)[1]];
  if (order.kind != pickle_kind::text ||
      (order.text != "<" && order.text != "|" && order.text != "="))
    refuse("big-endian numbers");
}

} // namespace musetalk::models
