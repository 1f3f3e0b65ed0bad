// English is the key of every text; a language without one shows the English.
const chinese = {
  'Overview': '总览', 'Actors': '执行者', 'Jobs': '任务', 'Avatars': '数字人', 'Device': '设备', 'Settings': '设置',
  'Language': '语言', 'Theme': '主题', 'Skip to content': '跳到内容',
  'live': '实时', 'lost': '已断开', 'connecting': '连接中',
  'All is well': '一切正常', 'Needs attention': '需要注意', 'Something is stuck': '有部分卡住了',
  'No connection to the service': '与服务断开连接',
  'Trying again; what you see is from before.': '正在重连；显示的是之前的数据。',
  '{n} running': '{n} 个运行中', '{n} waiting': '{n} 个等待', 'Nothing to do right now.': '目前没有任务。',
  '{actor} has worked on “{type}” for {time}': '{actor} 处理“{type}”已 {time}',
  'A message to {actor} has waited for {time}': '发给 {actor} 的消息已等待 {time}',
  '{actor} has {n} messages waiting': '{actor} 有 {n} 条消息在等待',
  '{actor} was restarted {n} times': '{actor} 已重启 {n} 次',
  'The networks are still being loaded': '网络仍在加载',
  'Avatars cannot be made: weights are missing': '无法制作数字人：缺少权重',
  'Weights are synthetic: what is made is for trying only': '权重为合成：结果仅供试用',
  'The queue is full: {n} jobs wait': '队列已满：{n} 个任务在等待',
  'The disk is nearly full: {free} left': '磁盘快满了：剩余 {free}',
  'Job for {avatar} failed': '{avatar} 的任务失败',
  'Where the work is': '工作在哪里', 'Running now': '正在运行', 'Attention': '注意', 'Nothing needs you.': '没有需要处理的事项。',
  'Latest jobs': '最近的任务', 'See all': '查看全部', 'Machine': '机器', 'Last five minutes': '最近五分钟',
  'Processor': '处理器', 'Memory': '内存', 'Busiest actor': '最忙的执行者', 'Device busy': '设备占用', 'Messages/s': '消息/秒',
  'Free disk': '可用磁盘', 'Queue': '队列', 'of {n}': '共 {n}', 'Up for': '已运行', 'Requests/s': '请求/秒',
  'cores': '核',
  'completed': '已完成', 'failed': '失败', 'cancelled': '已取消', 'queued': '排队中', 'running': '运行中',
  'cancelling': '正在取消', 'idle': '空闲', 'working': '工作中', 'stuck': '卡住', 'starting': '启动中', 'ended': '已结束',
  'ready': '就绪', 'preparing': '制作中', 'all': '全部',
  'receives': '接收', 'decides': '调度', 'conducts': '执行', 'decodes': '解码', 'computes': '计算', 'writes': '写入',
  'Name': '名称', 'For': '对象', 'Thread': '线程', 'State': '状态', 'Mailbox': '信箱', 'most': '最多', 'Oldest': '最旧',
  'Busy': '占用', 'Handled': '已处理', 'Now': '当前', 'Errors': '错误', 'Restarts': '重启', 'own': '独立', 'pool': '线程池',
  'Filter': '筛选', 'Filter actors': '筛选执行者', 'Table': '表格', 'Tree': '树', 'the service': '服务', 'Limits passed': '越限记录', 'No limit was passed.': '没有越限。',
  'Ended lately': '最近结束', 'None.': '无。', 'as planned': '按计划', 'now': '现在', 'limit {n}': '上限 {n}',
  'mailbox': '信箱', 'waiting': '等待', 'handler': '处理', 'Messages by type': '按类型的消息', 'Type': '类型', 'Count': '次数',
  'Mean': '平均', 'Max': '最大', 'Last error': '最近的错误', 'Parent': '父级', 'This actor is no more.': '该执行者已结束。',
  'Oldest message': '最旧消息', 'Messages in the mailbox': '信箱消息数', 'Messages per second': '每秒消息', 'Share of time at work': '工作时间占比',
  'five minutes': '五分钟', 'an hour': '一小时',
  'Job': '任务', 'Avatar': '数字人', 'Progress': '进度', 'Stages': '阶段', 'Begun': '开始', 'Took': '用时', 'Attempt': '次数',
  'Cancel': '取消', 'Retry': '重试', 'Cancel this job?': '取消此任务？', 'Cancel the job': '取消任务', 'Keep it': '保留',
  'No jobs yet.': '还没有任务。', 'No such jobs.': '没有这样的任务。', 'about {time} left': '约剩 {time}', '{n} ahead': '前面 {n} 个',
  'frames': '帧', 'History': '历史', 'What happened': '经过', 'made by': '来自', 'Where the time went': '时间花在哪里',
  'validate': '检查', 'prepare': '制备', 'convert': '转换', 'verify': '校验', 'publish': '发布',
  'Made': '创建', 'Ended': '结束', 'Weights': '权重',
  'Upload a video': '上传视频', 'Drop a video here': '把视频拖到这里', 'or choose a file': '或选择文件',
  'Avatar id': '数字人 ID', 'Tutor id': '导师 ID', 'optional': '可选', 'Blur the background': '虚化背景', 'Upload': '上传', 'Sending': '发送中',
  'Making the avatar': '正在制作', 'Ready': '完成', 'Show it': '查看', 'Another one': '再来一个',
  'Letters, digits, - and _; at most 64.': '字母、数字、- 和 _，最多 64 个。',
  'No avatars yet. Upload a video to make the first.': '还没有数字人。上传视频来制作第一个。', 'version': '版本', 'versions': '版本',
  'Versions': '版本', 'Current': '当前', 'Make current': '设为当前', 'Delete': '删除', 'Delete avatar': '删除数字人',
  'Delete {id} with all its versions?': '删除 {id} 及其所有版本？', 'Delete version {v}?': '删除版本 {v}？', 'Size': '大小', 'Picture': '画面', 'Length': '时长',
  'Contact sheet': '样张', 'What the networks see: face box, landmarks, blending mask.': '网络所见：人脸框、关键点、融合区域。', 'Video': '视频', 'synthetic': '合成', 'real': '真实',
  'The connection broke.': '连接中断。', 'Kind of work': '工作种类', 'Executions': '执行次数', 'Inputs': '输入', 'Mean batch': '平均批量', 'Mean time': '平均耗时',
  'Waiting by class': '按类别等待', 'speak': '说话', 'create': '制作', 'Batch sizes': '批量分布', 'Utilisation': '利用率', 'Not ready': '未就绪', 'Nothing has run on the device yet.': '设备上还没有运行过任务。',
  'No device: mock mode computes nothing.': '无设备：模拟模式不计算。', 'Name of the device': '设备名称', 'Precision': '精度',
  'Setting': '设置项', 'Value': '值', 'Origin': '来源', 'Meaning': '含义', 'only changed ones': '仅已更改', 'default': '默认', 'environment': '环境变量', 'flag': '参数',
  'just now': '刚刚', '{n} s ago': '{n} 秒前', '{n} min ago': '{n} 分钟前', '{n} h ago': '{n} 小时前', '{n} d ago': '{n} 天前',
  'Keys': '快捷键', 'Close': '关闭', 'pages': '切换页面', 'jump to the filter': '跳到筛选', 'this help': '此帮助',
  'Not found': '未找到', 'Back': '返回', 'Loading': '加载中', 'by': '由', 'thread': '线程', 'message': '消息', 'none': '无', 'started': '启动于', 'Limit': '上限', 'Worst': '最差', 'Reason': '原因', 'When': '时间', 'Sort': '排序',
};

let language = 'en';

/** A text in the present language; {names} are replaced by `values`. */
export function t(text, values = {}) {
  const found = language === 'zh' ? chinese[text] ?? text : text;
  return found.replace(/\{(\w+)\}/g, (whole, name) => (name in values ? String(values[name]) : whole));
}

export function currentLanguage() { return language; }

export function chooseLanguage(x) {
  language = x === 'zh' ? 'zh' : 'en';
  document.documentElement.lang = language === 'zh' ? 'zh-CN' : 'en';
}
