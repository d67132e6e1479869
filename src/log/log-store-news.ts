import { basename } from 'node:path';
import type { StoreNews } from '../storage/open-store.ts';
import type { EventLog } from './event-log.ts';

/** What happened to the file of a store. */
export const logStoreNews = (log: EventLog, news: StoreNews): void => {
  if (news.type === 'migrated') log.event('store.migrated', { from: news.from, to: news.to });
  else if (news.type === 'put-back') log.event('store.put-back', { code: news.failure.code });
  else log.event('store.set-aside', { file: basename(news.aside), rows: news.rows });
};
