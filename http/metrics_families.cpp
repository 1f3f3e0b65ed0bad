#include "http/metrics_families.hpp"

#include <prometheus/text_serializer.h>

#include <limits>
#include <sstream>

namespace musetalk::http {

using prometheus::MetricType;

void metric_list::counters(std::string name, std::string help) {
  begin(std::move(name), std::move(help), MetricType::Counter);
}

void metric_list::gauges(std::string name, std::string help) {
  begin(std::move(name), std::move(help), MetricType::Gauge);
}

void metric_list::histograms(std::string name, std::string help) {
  begin(std::move(name), std::move(help), MetricType::Histogram);
}

void metric_list::add(metric_labels labels, double value) {
  auto& family = families_.back();
  auto& metric = family.metric.emplace_back();
  metric.label = std::move(labels);
  if (family.type == MetricType::Counter)
    metric.counter.value = value;
  else
    metric.gauge.value = value;
}

void metric_list::add(metric_labels labels, const actors::bucket_counts& x) {
  auto& metric = families_.back().metric.emplace_back();
  metric.label = std::move(labels);
  auto& histogram = metric.histogram;
  histogram.sample_count = x.total();
  histogram.sample_sum = x.sum();
  auto below = uint64_t{0};
  for (size_t i = 0; i < x.counts().size(); ++i) {
    below += x.counts()[i];
    auto bound = i < x.bounds().size() ? x.bounds()[i] : std::numeric_limits<double>::infinity();
    histogram.bucket.push_back({below, bound});
  }
}

void metric_list::counter(std::string name, std::string help, double value) {
  counters(std::move(name), std::move(help));
  add({}, value);
}

void metric_list::gauge(std::string name, std::string help, double value) {
  gauges(std::move(name), std::move(help));
  add({}, value);
}

std::string metric_list::text() const {
  auto shown = std::vector<prometheus::MetricFamily>{};
  for (const auto& x : families_)
    if (!x.metric.empty())
      shown.push_back(x);
  auto out = std::ostringstream{};
  prometheus::TextSerializer{}.Serialize(out, shown);
  return out.str();
}

void metric_list::begin(std::string name, std::string help, MetricType type) {
  families_.push_back({std::move(name), std::move(help), type, {}});
}

} // namespace musetalk::http
