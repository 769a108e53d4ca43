#include "mgmt/metrics_text.hpp"

#include <prometheus/metric_family.h>
#include <prometheus/text_serializer.h>

namespace torii::mgmt {
namespace {

prometheus::ClientMetric convert(const Sample& sample, MetricKind kind) {
    prometheus::ClientMetric out;
    for (const auto& [name, value] : sample.labels) out.label.push_back({name, value});
    switch (kind) {
        case MetricKind::Counter:
            out.counter.value = sample.value;
            break;
        case MetricKind::Gauge:
            out.gauge.value = sample.value;
            break;
        case MetricKind::Histogram:
            out.histogram.sample_count = sample.count;
            out.histogram.sample_sum = sample.value;
            for (const auto& [bound, count] : sample.buckets) {
                prometheus::ClientMetric::Bucket bucket;
                bucket.upper_bound = bound;
                bucket.cumulative_count = count;
                out.histogram.bucket.push_back(bucket);
            }
            break;
    }
    return out;
}

}  // namespace

std::string metrics_text(const std::vector<Metric>& metrics) {
    constexpr prometheus::MetricType kTypes[] = {prometheus::MetricType::Counter,
                                                 prometheus::MetricType::Gauge,
                                                 prometheus::MetricType::Histogram};
    std::vector<prometheus::MetricFamily> families;
    for (const auto& metric : metrics) {
        auto& family = families.emplace_back();
        family.name = metric.name;
        family.help = metric.help;
        family.type = kTypes[static_cast<std::size_t>(metric.kind)];
        for (const auto& sample : metric.samples)
            family.metric.push_back(convert(sample, metric.kind));
    }
    return prometheus::TextSerializer{}.Serialize(families);
}

}  // namespace torii::mgmt
